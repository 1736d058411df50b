"""The ledger's functions anew: what a start writes is written by one call, and a whole run is read by one."""

import importlib

from django.db import migrations


def install(apps, schema_editor):
    importlib.import_module("backend.runs.migrations.0010_fast_ledger").install(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0016_lineage'),
    ]

    operations = [
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
