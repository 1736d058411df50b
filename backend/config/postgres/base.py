"""The module that Django looks for in a database backend."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Iterator
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg_pool import ConnectionPool

PREPARED_AT = 5
"""Psycopg's own number. It counts for nothing but `DatabaseWrapper.prepared`: Django's own statements have their values in their text."""


class PreparingCursor(base.ServerBindingCursor):
    """Sends a statement's values beside it, and has the server keep the statement for as long as the connection lives."""

    def execute(self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None) -> PreparingCursor:
        super().execute(query, params, prepare=True if prepare is None else prepare, binary=binary)
        return self


class DatabaseOperations(base.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str | None:
        """What a log of queries shows: of a prepared statement, too, with its values in it."""
        if isinstance(cursor, PreparingCursor):
            return str(self.compose_sql(sql, params))
        said: str | None = super().last_executed_query(cursor, sql, params)
        return said


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose server has ended is not given to a request.

    Django's own check (`CONN_HEALTH_CHECKS`) asks the server, a round trip for every request. But a server that ended has closed
    its side, which makes the socket readable: only where there is something to read (the end, or a notice) is it asked.
    """

    ops_class = DatabaseOperations
    _preparing = False

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "prepare_threshold": PREPARED_AT}

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        while True:
            connection: psycopg.Connection[Any] = super().get_new_connection(conn_params)
            if self.pool is None or _silent(connection):
                return connection
            try:
                ConnectionPool.check_connection(connection)
                return connection
            except psycopg.OperationalError:
                self.pool.putconn(connection)  # which drops it and connects anew

    @contextlib.contextmanager
    def prepared(self) -> Iterator[CursorWrapper]:
        """A cursor for a fixed statement that is asked often: the server reads and plans it once. Its values have types there, so one
        that stands alone (in `jsonb_build_object`, say) needs a cast."""
        self._preparing = True
        try:
            cursor = self.cursor()
        finally:
            self._preparing = False
        with cursor:
            yield cursor

    def create_cursor(self, name: str | None = None) -> Any:
        if not self._preparing:
            return super().create_cursor(name)
        made = self.connection.cursor_factory
        self.connection.cursor_factory = PreparingCursor
        try:
            return super().create_cursor()
        finally:
            self.connection.cursor_factory = made


def _silent(connection: psycopg.Connection[Any]) -> bool:
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN)
    return not watched.poll(0)
