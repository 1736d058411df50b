import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import backend.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0002_functions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LabelImport",
            fields=[
                ("id", models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("format", models.CharField(max_length=20)),
                ("filename", models.CharField(max_length=255)),
                ("size", models.BigIntegerField()),
                ("received", models.BigIntegerField(default=0)),
                ("status", models.CharField(default="receiving", max_length=10)),
                ("applies", models.BooleanField(default=False)),
                ("message", models.CharField(blank=True, max_length=500)),
                ("problems", models.JSONField(default=list)),
                ("report", models.JSONField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("announced_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "schema",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="imports", to="labeling.labelschema"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["queued", "running"])), fields=["announced_at"], name="label_import_waiting"
                    )
                ],
            },
        ),
    ]
