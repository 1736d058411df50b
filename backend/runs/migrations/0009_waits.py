"""Priorities, a project's limits, dry runs, and what an attempt took; the ledger's functions anew, with their new arguments."""

import importlib

import django.db.models.deletion
from django.db import migrations, models


def install(apps, schema_editor):
    importlib.import_module("backend.runs.migrations.0004_patterns").install(apps, schema_editor)
    importlib.import_module("backend.runs.migrations.0005_triggers").install(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ('core', '0003_event_order'),
        ('runs', '0008_hosts'),
    ]
    operations = [
        migrations.CreateModel(
            name='ProjectLimits',
            fields=[
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='core.project')),
                ('steps_at_once', models.PositiveIntegerField(null=True)),
                ('runs_at_once', models.PositiveIntegerField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name='attempt',
            name='peak_memory',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='attempt',
            name='rows',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='run',
            name='limited',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='run',
            name='priority',
            field=models.PositiveSmallIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name='run',
            name='sample',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='trigger',
            name='priority',
            field=models.PositiveSmallIntegerField(db_default=1, default=1),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('status__in', ['queued', 'running', 'waiting'])), fields=['priority', 'project'], name='run_alive'),
        ),
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
