"""Rows of a fixed SQL statement as models: for what is asked with every request.

A query set writes its SQL anew each time, which takes 1 to 2 ms of the processor; this writes it once. For anything that a person
does once in a while a query set is the better choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.db import connection, models
from django.db.backends.utils import CursorWrapper


class Columns:
    """The columns of some models under the names of their tables in a statement.

        OF = Columns(a=ApiToken, u=User)
        cursor.execute(f"SELECT {OF.sql}, count(*) FROM core_apitoken a JOIN core_user u ON …")
        token, user, count = OF.read(cursor.fetchone())

    A model whose key is null (of a LEFT JOIN) is None. `without`: columns that are left in the database until somebody asks for them
    (`name.column`).
    """

    def __init__(self, *, without: Sequence[str] = (), **kinds: type[models.Model]) -> None:
        self.kinds = list(kinds.values())
        fields = [
            [field for field in kind._meta.concrete_fields if f"{name}.{field.column}" not in without] for name, kind in kinds.items()
        ]
        self.sql = ", ".join(f'{name}."{field.column}"' for name, own in zip(kinds, fields, strict=True) for field in own)
        self.names = [[field.attname for field in own] for own in fields]
        self.keys = [[field.primary_key for field in own].index(True) for own in fields]
        # Django leaves JSON to its fields' converters: psycopg gives the text.
        self.converted = [[(at, field) for at, field in enumerate(own) if isinstance(field, models.JSONField)] for own in fields]

    def read(self, row: Sequence[Any]) -> list[Any]:
        """The models, then what else the row has."""
        found: list[Any] = []
        start = 0
        for kind, names, key, converted in zip(self.kinds, self.names, self.keys, self.converted, strict=True):
            values = list(row[start : start + len(names)])
            start += len(names)
            if values[key] is None:
                found.append(None)
                continue
            for at, field in converted:
                values[at] = field.from_db_value(values[at], None, connection)
            found.append(kind.from_db(connection.alias, names, values))
        return [*found, *row[start:]]


def prepared() -> AbstractContextManager[CursorWrapper]:
    """A cursor for a fixed statement that is asked often: `DatabaseWrapper.prepared` of `backend.config.postgres`."""
    return connection.prepared()  # type: ignore[attr-defined,no-any-return]  # Django's types know its own backends only


def one(sql: str, values: Sequence[Any] | dict[str, Any]) -> tuple[Any, ...] | None:
    """The first row of a statement, or None. The database keeps the statement: planning it anew takes longer than answering it."""
    with prepared() as cursor:
        cursor.execute(sql, values)
        found: tuple[Any, ...] | None = cursor.fetchone()
        return found
