"""Hosts, what a step needs of them, and who holds a device; the ledger's functions anew. The studio's first account becomes its administrator."""

import importlib

import backend.core.ids
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def install(apps, schema_editor):
    importlib.import_module("backend.runs.migrations.0002_functions").install(apps, schema_editor)


def first_administrator(apps, schema_editor):
    """A studio from before there were administrators: whoever made it."""
    users = apps.get_model("core", "User").objects
    if not users.filter(is_staff=True).exists() and (first := users.order_by("date_joined").first()):
        first.is_staff = True
        first.save(update_fields=["is_staff"])


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0007_secrets'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='steprun',
            name='needs',
            field=models.JSONField(null=True),
        ),
        migrations.CreateModel(
            name='JoinToken',
            fields=[
                ('id', models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('prefix', models.CharField(max_length=12)),
                ('token_hash', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Host',
            fields=[
                ('id', models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('studio', models.BooleanField(default=False)),
                ('place', models.CharField(blank=True, max_length=40)),
                ('labels', models.JSONField(default=dict)),
                ('queues', models.JSONField(default=list)),
                ('memory_bytes', models.BigIntegerField(default=0)),
                ('memory_free', models.BigIntegerField(default=0)),
                ('devices', models.JSONField(default=list)),
                ('share', models.PositiveIntegerField(default=1)),
                ('versions', models.JSONField(default=dict)),
                ('groups', models.JSONField(default=dict)),
                ('wanted', models.CharField(default='running', max_length=10)),
                ('wanted_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('token_hash', models.CharField(blank=True, db_index=True, max_length=64)),
                ('joined_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('beat_at', models.DateTimeField(null=True)),
                ('joined_with', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='hosts', to='runs.jointoken')),
            ],
        ),
        migrations.CreateModel(
            name='DeviceLease',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('device', models.PositiveIntegerField()),
                ('slot', models.PositiveIntegerField()),
                ('taken_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('step_run', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='leases', to='runs.steprun')),
                ('host', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='leases', to='runs.host')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('host', 'device', 'slot'), name='device_lease_unique')],
            },
        ),
        migrations.RunPython(first_administrator, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
