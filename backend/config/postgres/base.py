"""The module that Django looks for in a database backend."""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose server has ended is not given to a request.

    Django's own check (`CONN_HEALTH_CHECKS`) asks the server, a round trip for every request. But a server that ended has closed
    its side, which makes the socket readable: only where there is something to read (the end, or a notice) is it asked.
    """

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


def _silent(connection: psycopg.Connection[Any]) -> bool:
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN)
    return not watched.poll(0)
