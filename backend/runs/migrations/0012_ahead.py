"""Quick steps one after another on their worker's own word: its notes, the leave to write them, and the ledger's functions anew."""

import importlib

import django.db.models.deletion
from django.db import migrations, models


def install(apps, schema_editor):
    importlib.import_module("backend.runs.migrations.0010_fast_ledger").install(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0011_one_wire'),
    ]

    operations = [
        migrations.AddField(
            model_name='steprun',
            name='ahead',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name='Note',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'step_run_id', 'attempt', blank=True, editable=False, primary_key=True, serialize=False)),
                ('attempt', models.IntegerField()),
                ('worker', models.CharField(max_length=200)),
                ('outputs', models.JSONField()),
                ('used', models.JSONField(null=True)),
                ('next_attempt', models.IntegerField(null=True)),
                ('next_key', models.CharField(blank=True, max_length=64)),
                ('at', models.DateTimeField()),
                ('next', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.steprun')),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.run')),
                ('step_run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.steprun')),
            ],
        ),
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
