"""The ledger's SQL functions, from `backend/runs/sql/` in the order of their names."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parents[1] / "sql"


def install(apps, schema_editor):
    """Functions name each other, so bodies are not checked until all are there. Running it again replaces them."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET LOCAL check_function_bodies = off")
        for file in sorted(FOLDER.glob("*.sql")):
            cursor.execute(file.read_text(encoding="utf-8"))


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop, elidable=False)]
