"""The queue's SQL functions, from `backend/labeling/sql/` in the order of their names."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parents[1] / "sql"


def install(apps, schema_editor):
    """Running it again replaces them."""
    with schema_editor.connection.cursor() as cursor:
        for file in sorted(FOLDER.glob("*.sql")):
            cursor.execute(file.read_text(encoding="utf-8"))


class Migration(migrations.Migration):
    dependencies = [("labeling", "0001_initial")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop, elidable=False)]
