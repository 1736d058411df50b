"""Blobs that no row refers to: left by imports and steps that failed or were killed, or by drafts that were read again.

What is needed is not listed by hand, because a column that was forgotten there would cost somebody their data: every text and JSON
column of the database may name a blob by its digest, and one that does keeps it. Only records of what happened (EXCEPT) keep nothing.
Folders and manifests of files among the artifacts are opened, because they name blobs themselves.

Safe beside writers: a blob must have been put before the cutoff, which is GRACE ago and before the beginning of everything that says
by `hold` that it is at work; and it is removed only if it has not been put again since (`workers.sdk.sweeping` argues why that
suffices).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from backend.artifacts import tables
from backend.artifacts.models import Artifact
from backend.artifacts.storage import store
from workers.sdk.store import TREE, StoreError
from workers.sdk.sweeping import blobs, remove

GRACE = 86_400.0
"""Seconds. Between putting a blob and committing the row that names it lie seconds; what takes longer holds."""
EXCEPT = ("core_auditentry", "core_event", "core_idempotencykey", "django_session", "runs_logline")
DIGEST = "[0-9a-f]{64}"
_holds: list[Callable[[], datetime | None]] = []


@dataclass(frozen=True, kw_only=True)
class Freed:
    """What a sweep removed."""

    blobs: int = 0
    bytes: int = 0


def hold(since: Callable[[], datetime | None]) -> None:
    """Say when the oldest of your writers still at work began (None when none is): from an app's `AppConfig.ready`."""
    _holds.append(since)


def sweep_unused() -> Freed:
    """Remove all blobs that are older than the cutoff and that nothing refers to."""
    at_work = [since.timestamp() for ask in _holds if (since := ask())]
    kept = store()
    if at_work and kept.root is None:
        return Freed()  # see `sweeping` on remote stores
    before = min([time.time() - GRACE, *at_work])
    count = size = 0
    for digest, length in _unused(blobs(kept, before)):
        if remove(kept, digest, before):
            count, size = count + 1, size + length
    return Freed(blobs=count, bytes=size)


def _unused(candidates: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.candidate")  # of an earlier sweep in the same transaction
        cursor.execute("CREATE TEMP TABLE candidate (digest text PRIMARY KEY, size bigint) ON COMMIT DROP")
        with cursor.copy("COPY candidate FROM STDIN") as copy:
            for row in candidates:
                copy.write_row(row)
        cursor.execute("ANALYZE candidate")
        for table, column, exact in _columns(cursor):
            if exact:
                cursor.execute(f"DELETE FROM candidate USING {table} t WHERE t.{column}::text = candidate.digest")  # noqa: S608 - quoted names of the catalogue
        for step in (*_searches(_columns(cursor)), _named_inside):
            cursor.execute("SELECT EXISTS (SELECT FROM candidate)")
            if not cursor.fetchone()[0]:
                return []
            if callable(step):
                for named in step():
                    cursor.execute("DELETE FROM candidate WHERE digest = ANY(%s)", [named])
            else:
                cursor.execute(step)
        cursor.execute("SELECT digest, size FROM candidate")
        return [(str(digest), int(size)) for digest, size in cursor.fetchall()]


def _columns(cursor: object) -> list[tuple[str, str, bool]]:
    """(table, column, whether it holds nothing but a digest) of all that may name a blob; names are quoted."""
    cursor.execute(  # type: ignore[attr-defined]  # a cursor of Django's
        "SELECT quote_ident(c.table_name), quote_ident(c.column_name), c.character_maximum_length IS NOT DISTINCT FROM 64"
        " FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND NOT c.table_name = ANY(%s)"
        " AND (c.data_type IN ('text', 'json', 'jsonb', 'ARRAY') OR (c.data_type IN ('character varying', 'character')"
        " AND coalesce(c.character_maximum_length, 64) >= 64)) ORDER BY 3 DESC, 1, 2",
        [list(EXCEPT)],
    )
    return list(cursor.fetchall())  # type: ignore[attr-defined]  # as above


def _searches(columns: list[tuple[str, str, bool]]) -> list[str]:
    return [
        f"DELETE FROM candidate USING (SELECT DISTINCT (regexp_matches({column}::text, '{DIGEST}', 'g'))[1] AS digest FROM {table}"  # noqa: S608 - as above
        f" WHERE {column}::text ~ '{DIGEST}') found WHERE found.digest = candidate.digest"
        for table, column, exact in columns
        if not exact
    ]


def _named_inside() -> Iterable[list[str]]:
    """The blobs that folders and manifests of files name."""
    rows = Artifact.objects.filter(inline__isnull=True)
    for digest in rows.filter(media_type=TREE).values_list("digest", flat=True).distinct().iterator():
        try:
            yield [file["digest"] for file in store().files(digest)]
        except StoreError:
            continue  # its bytes are gone already
    listing = rows.filter(Q(kind="Images") | Q(kind="Table", metadata__names_files=True))
    for digest in listing.values_list("digest", flat=True).distinct().iterator():
        try:
            for group in tables.batches(digest, ["digest"]):
                yield group.column("digest").to_pylist()
        except StoreError:
            continue
