"""How people work on an item: apart, blind, or together on one draft. Installs the queue's SQL functions again, which know of it."""

import importlib

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def install(apps, schema_editor):
    importlib.import_module("backend.labeling.migrations.0002_functions").install(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("labeling", "0002_functions"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.AddField("labelschema", "together", models.CharField(max_length=10, default="blind", db_default="blind")),
        migrations.RunSQL(
            "UPDATE labeling_labelschema SET together = 'apart' WHERE NOT blind",
            "UPDATE labeling_labelschema SET blind = (together = 'blind')",
        ),
        migrations.RemoveField("labelschema", "blind"),
        migrations.AddField("annotation", "coauthors", models.ManyToManyField(related_name="+", to=settings.AUTH_USER_MODEL)),
        migrations.CreateModel(
            name="SharedDraft",
            fields=[
                (
                    "item",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="shared_draft", serialize=False,
                        to="labeling.queueitem",
                    ),
                ),
                ("people", models.ManyToManyField(related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name="SharedUpdate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("update", models.BinaryField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "draft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="updates", to="labeling.shareddraft"
                    ),
                ),
            ],
        ),
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
