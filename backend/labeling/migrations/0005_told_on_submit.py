"""Submitting tells whether a suggestion was shown, and whether the item is part of an audit."""

import importlib

from django.db import migrations


def install(apps, schema_editor):
    importlib.import_module("backend.labeling.migrations.0002_functions").install(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("labeling", "0004_suggestions_kept")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop, elidable=False)]
