"""The ledger's functions anew: no more wake-ups than there are workers to hear of them."""

import importlib

from django.db import migrations


def install(apps, schema_editor):
    importlib.import_module("backend.runs.migrations.0010_fast_ledger").install(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0014_beside'),
    ]

    operations = [
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
