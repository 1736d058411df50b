"""SQL functions kept as files, installed anew by migrations."""

from __future__ import annotations

from pathlib import Path

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_DROP = """
DO $$ DECLARE f record; BEGIN
  FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE starts_with(p.proname, '{prefix}') AND n.nspname = current_schema() AND p.prorettype <> 'trigger'::regtype LOOP
    EXECUTE 'DROP FUNCTION ' || f.name;
  END LOOP;
END $$
"""


def install(schema_editor: BaseDatabaseSchemaEditor, folder: Path, prefix: str) -> None:
    """Replace all functions whose names begin with `prefix` by those of `folder`, in the order of the files' names.

    Dropped first, because a function cannot be replaced by one of another return type: a data directory of an older release would be
    stuck there. Bodies are not checked until all are there: they name each other, and at an older migration they name what a later one
    makes.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET LOCAL check_function_bodies = off")
        cursor.execute(_DROP.format(prefix=prefix))
        for file in sorted(folder.glob("*.sql")):
            cursor.execute(file.read_text(encoding="utf-8"))
        cursor.execute("SET LOCAL check_function_bodies = on")
