"""The ledger's functions anew: the leave to go on is written with the claim, and that a step began is told only while it runs."""

import importlib

from django.db import migrations


def install(apps, schema_editor):
    importlib.import_module("backend.runs.migrations.0010_fast_ledger").install(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0012_ahead'),
    ]

    operations = [
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
