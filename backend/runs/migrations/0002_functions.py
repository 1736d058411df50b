"""The ledger's SQL functions, from `backend/runs/sql/` in the order of their names."""

from pathlib import Path

from django.db import migrations

from backend.core import sql_functions

FOLDER = Path(__file__).resolve().parents[1] / "sql"


def install(apps, schema_editor):
    """Running it again replaces them."""
    sql_functions.install(schema_editor, FOLDER, "ledger_")


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop, elidable=False)]
