"""The ledger's functions anew: lineage of quick steps is written beside them."""

import importlib

from django.db import migrations


def install(apps, schema_editor):
    importlib.import_module("backend.runs.migrations.0010_fast_ledger").install(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0015_wakes'),
    ]

    operations = [
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
