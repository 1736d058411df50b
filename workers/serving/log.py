"""The log of predictions: gathered in memory, written in batches with COPY by a thread of its own, spooled to disk while the
database is away and brought in when it is back. Answering never waits for it. What the database refuses for its content is set
aside in a `.refused` file, so that it cannot hold up the rest."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from workers.sdk.store import Store

log = logging.getLogger(__name__)

FLUSH_S = 0.5
MAX_INPUT_BYTES = 16_384
MAX_ROWS_KEPT = 20
IMAGES_KEPT_PER_FLUSH = 50
"""So that logging 10,000 images a second does not fill the store: the others are logged with their digest only."""
COLUMNS = "id, endpoint_id, deployment_id, model_version_label, request_id, at, status, latency_us, rows, input, output"


def new_id() -> str:
    """A UUIDv7, so that the log's primary key grows at its end."""
    value = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10))
    # By hand: this runs for every request, and `uuid.UUID` takes twice as long.
    text = f"{value & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class PredictionLog:
    """`add` is called by the event loop, everything else happens in the writer thread."""

    def __init__(self, *, database_url: str, spool: Path, store: Store):
        self._database_url, self._spool, self._store = database_url, spool, store
        self._held: deque[dict[str, Any]] = deque()
        self._stop = threading.Event()
        self._connection: psycopg.Connection[Any] | None = None
        spool.mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, **row: Any) -> None:
        """One answered request: endpoint, deployment, label, request_id, status, latency_us, rows, input, output."""
        row["id"], row["at"] = new_id(), datetime.now(UTC).isoformat()
        self._held.append(row)

    def close(self) -> None:
        """Write what is held; to the disk if the database is away."""
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        rows = [self._held.popleft() for _ in range(len(self._held))]
        spooled = sorted(self._spool.glob("*.jsonl"))
        if not rows and not spooled:
            return
        records = self._records(rows)
        if not self._kept(records) and records:
            self._set_aside(records, "jsonl")
            return
        for path in spooled:
            if not self._kept([json.loads(line) for line in path.read_text().splitlines()]):
                return
            path.unlink()

    def _kept(self, records: list[list[Any]]) -> bool:
        """Whether these need no more care: written, or refused for good. False while the database is away."""
        try:
            self._write(records)
        except (psycopg.DataError, psycopg.IntegrityError):
            log.exception("%d predictions were refused by the database and are set aside", len(records))
            self._connection = None
            self._set_aside(records, "refused")
        except (psycopg.Error, OSError) as error:
            # Away, restarting, or in the middle of a migration: it will be right again.
            log.warning("the database does not take predictions now, they go to the disk: %s", error)
            self._connection = None
            return False
        return True

    def _set_aside(self, records: list[list[Any]], suffix: str) -> None:
        path = self._spool / f"{time.time_ns()}.{suffix}"
        part = path.with_suffix(".part")
        part.write_text("\n".join(json.dumps(record) for record in records))
        part.rename(path)

    def _records(self, rows: list[dict[str, Any]]) -> list[list[Any]]:
        kept = 0
        records = []
        for row in rows:
            given = row["input"]
            if isinstance(given, list) and given and isinstance(given[0], bytes):
                described = []
                for data in given[:MAX_ROWS_KEPT]:
                    if kept < IMAGES_KEPT_PER_FLUSH:
                        kept += 1
                        described.append({"image": self._store.put_bytes(data).digest, "size": len(data)})
                    else:
                        described.append({"image": None, "size": len(data)})
                given = described
            records.append(
                [row["id"], row["endpoint"], row["deployment"], row["label"], row["request_id"], row["at"], row["status"],
                 min(row["latency_us"], 2_000_000_000), row["rows"], _bounded(given), _bounded(row["output"])]
            )  # fmt: skip
        return records

    def _write(self, records: list[list[Any]]) -> None:
        if not records:
            return
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._database_url, connect_timeout=3)
        with self._connection.transaction(), self._connection.cursor() as cursor:
            # A batch that was written although its commit's answer was lost comes again from the spool: into a side table first.
            cursor.execute("CREATE TEMPORARY TABLE incoming (LIKE deployments_prediction INCLUDING DEFAULTS) ON COMMIT DROP")
            with cursor.copy(f"COPY incoming ({COLUMNS}) FROM STDIN") as copy:
                for record in records:
                    copy.write_row(record)
            cursor.execute("INSERT INTO deployments_prediction SELECT * FROM incoming ON CONFLICT (id) DO NOTHING")


def _bounded(value: Any) -> str | None:
    """JSON text of at most MAX_INPUT_BYTES: a longer list keeps its first entries, anything else too long is left out."""
    if value is None:
        return None
    if isinstance(value, list):
        value = value[:MAX_ROWS_KEPT]
    text = json.dumps(value).replace("\\u0000", "")
    if len(text) <= MAX_INPUT_BYTES:
        return text
    if isinstance(value, list) and len(value) > 1:
        return _bounded(value[: len(value) // 2])
    return json.dumps({"left_out": len(text)})
