"""User-written code as a step: the ledger hands it to the worker that claims it."""

import importlib

from django.db import migrations


def install(apps, schema_editor):
    importlib.import_module("backend.runs.migrations.0002_functions").install(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [('runs', '0005_triggers')]
    operations = [migrations.RunPython(install, migrations.RunPython.noop, elidable=False)]
