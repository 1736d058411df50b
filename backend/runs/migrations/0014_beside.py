"""The leave to write notes is found by an index, and the ledger's functions anew: notes are brought in beside the steps."""

import importlib

from django.db import migrations, models


def install(apps, schema_editor):
    importlib.import_module("backend.runs.migrations.0010_fast_ledger").install(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0013_news'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='steprun',
            index=models.Index(condition=models.Q(('ahead', True)), fields=['run'], name='step_run_ahead'),
        ),
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
