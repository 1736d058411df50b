"""The database's type for vectors. It comes with the studio's own PostgreSQL; another one may lack it, and then only this app says so."""

from __future__ import annotations

from django.db import ProgrammingError, connection, transaction
from django.db.utils import DatabaseError

from backend.similarity.errors import PgvectorMissing

ADD = "ALTER TABLE similarity_vector ADD COLUMN IF NOT EXISTS vector vector"


def there() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('similarity_vector') AND attname = 'vector'"
            " AND NOT attisdropped)"
        )
        return bool(cursor.fetchone()[0])


def prepare() -> None:
    """Make the column, also where the extension was installed after our migrations; raises PgvectorMissing."""
    if there():
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
            cursor.execute(ADD)
    except (ProgrammingError, DatabaseError) as error:
        raise PgvectorMissing from error
