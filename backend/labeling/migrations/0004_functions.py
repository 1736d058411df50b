"""The queue's SQL functions again, since they know honeypots; the file 0002_functions says how."""

from importlib import import_module

from django.db import migrations

install = import_module("backend.labeling.migrations.0002_functions").install


class Migration(migrations.Migration):
    dependencies = [("labeling", "0003_quality")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop, elidable=False)]
