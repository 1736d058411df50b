"""Indexes that cannot be taken for each other, room for a run's counts to change in place, and the ledger's functions anew."""

import importlib

import django.db.models.deletion
from django.db import migrations, models

# A run's row is written once a step: its graph stays out of it, and the new version fits the page of the old.
ROOM = "ALTER TABLE runs_run SET (fillfactor = 40, toast_tuple_target = 256)"


def install(apps, schema_editor):
    importlib.import_module("backend.runs.migrations.0009_waits").install(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0003_event_order'),
        ('runs', '0009_waits'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='steprun',
            name='step_run_cache',
        ),
        migrations.RemoveIndex(
            model_name='steprun',
            name='step_run_content',
        ),
        migrations.AlterField(
            model_name='steprun',
            name='run',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='step_runs', to='runs.run'),
        ),
        migrations.AddIndex(
            model_name='steprun',
            index=models.Index(condition=models.Q(('cache_key__gt', ''), ('cacheable', True), ('status', 'succeeded')), fields=['cache_key', 'project'], name='step_run_cache'),
        ),
        migrations.AddIndex(
            model_name='steprun',
            index=models.Index(condition=models.Q(('cacheable', True), ('content_key__gt', ''), ('status', 'succeeded')), fields=['content_key', 'project'], name='step_run_content'),
        ),
        migrations.AlterField(
            model_name='attempt',
            name='number',
            field=models.IntegerField(),
        ),
        migrations.AlterField(
            model_name='run',
            name='number',
            field=models.IntegerField(),
        ),
        migrations.AlterField(
            model_name='run',
            name='priority',
            field=models.SmallIntegerField(db_default=1, default=1),
        ),
        migrations.AlterField(
            model_name='run',
            name='steps_done',
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='run',
            name='steps_total',
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='stepinput',
            name='position',
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='attempt',
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='batch',
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='children_failed',
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='children_total',
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='failures',
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='losses',
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='max_attempts',
            field=models.IntegerField(default=1),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='position',
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='shard',
            field=models.IntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='timeout_s',
            field=models.IntegerField(null=True),
        ),
        migrations.RunSQL(ROOM, "ALTER TABLE runs_run RESET (fillfactor, toast_tuple_target)"),
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
