"""Shards, rounds, inner pipelines, people and compensations; the ledger's functions anew, with their new arguments."""

import importlib

import django.db.models.deletion
from django.db import migrations, models


def install(apps, schema_editor):
    importlib.import_module("backend.runs.migrations.0002_functions").install(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ('core', '0002_append_only_audit'),
        ('runs', '0003_demo'),
    ]
    operations = [
        migrations.AddField(
            model_name='run',
            name='dynamic',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='run',
            name='undoing',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='run',
            name='values',
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name='stepinput',
            name='need',
            field=models.CharField(db_default='all', default='all', max_length=5),
        ),
        migrations.AddField(
            model_name='steprun',
            name='children_failed',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='steprun',
            name='children_open',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='steprun',
            name='children_total',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='steprun',
            name='flow',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='steprun',
            name='fresh',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='steprun',
            name='given',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='steprun',
            name='held',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='steprun',
            name='parent',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='children', to='runs.steprun'),
        ),
        migrations.AddField(
            model_name='steprun',
            name='shard',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='steprun',
            name='state',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='steprun',
            name='undoes',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.steprun'),
        ),
        migrations.AddField(
            model_name='steprun',
            name='wait_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='step',
            field=models.CharField(max_length=300),
        ),
        migrations.AddIndex(
            model_name='steprun',
            index=models.Index(condition=models.Q(('parent__isnull', False)), fields=['parent', 'shard'], name='step_run_children'),
        ),
        migrations.AddIndex(
            model_name='steprun',
            index=models.Index(condition=models.Q(('status', 'waiting')), fields=['project', 'wait_until'], name='step_run_waiting'),
        ),
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
