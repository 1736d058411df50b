"""The column of vectors, where the database has pgvector (`backend/similarity/pgvector.py` makes it later where it has not), and the way from a
content to the items of a queue."""

from django.db import migrations, transaction
from django.db.utils import DatabaseError


def add_vectors(apps, schema_editor):
    """A database that lacks the extension, or whose user may not create it, keeps everything else of the studio."""
    try:
        with transaction.atomic(using=schema_editor.connection.alias), schema_editor.connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
            cursor.execute("ALTER TABLE similarity_vector ADD COLUMN IF NOT EXISTS vector vector")
    except DatabaseError:
        pass


class Migration(migrations.Migration):
    dependencies = [("similarity", "0001_initial"), ("labeling", "0005_told_on_submit")]
    operations = [
        migrations.RunPython(add_vectors, migrations.RunPython.noop, elidable=False),
        migrations.RunSQL(
            "CREATE INDEX IF NOT EXISTS similarity_queue_digest ON labeling_queueitem (schema_id, digest)",
            "DROP INDEX IF EXISTS similarity_queue_digest",
        ),
    ]
