"""What is asked with every request is planned once a connection, and a log of queries shows it with its values."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.core.queries import who
from backend.core.queries.rows import one

pytestmark = pytest.mark.django_db


def test_a_statement_of_every_request_is_kept_by_the_database_and_one_of_djangos_is_not() -> None:
    with CaptureQueriesContext(connection) as asked:
        for digest in ("none", "no other"):
            assert who.token_with(digest) is None
    assert ["'none'" in q["sql"] or "'no other'" in q["sql"] for q in asked] == [True, True], "the log does not show what was asked for"
    with connection.cursor() as cursor:
        cursor.execute("SELECT calls FROM (SELECT statement, generic_plans + custom_plans AS calls FROM pg_prepared_statements) s"
                       " WHERE statement LIKE '%core_apitoken a JOIN core_user u%'")  # fmt: skip
        assert cursor.fetchall() == [(2,)], "it was planned anew"
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%pg_prepared_statements%'")
        assert cursor.fetchone() == (0,)
    assert one("SELECT %s::int + 1", [1]) == (2,)
