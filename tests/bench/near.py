"""The nearest of 100,000 vectors, asked for as `backend.similarity.queries.near` does: by the index of a space, beside a look at all.

The rows lie in a table of its own with the columns that count, in the database of the studio.
"""

from __future__ import annotations

import os
import statistics
import time
import uuid
from typing import Any

import numpy as np
import psycopg

from tests.bench.main import Row

COUNT, DIMENSION, CENTRES, INNER, ASKED, NEAREST = 100_000, 128, 200, 24, 200, 10


def vectors(seed: int = 0) -> Any:
    """Unit vectors about 200 centres, spread in 24 directions: embeddings fill far fewer directions than they have numbers."""
    chance = np.random.default_rng(seed)
    basis = chance.normal(size=(INNER, DIMENSION))
    centres = chance.normal(size=(CENTRES, INNER))
    inner = centres[chance.integers(CENTRES, size=COUNT)] + 0.6 * chance.normal(size=(COUNT, INNER))
    rows = (inner @ basis + 0.3 * chance.normal(size=(COUNT, DIMENSION))).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def written(row: Any) -> str:
    return "[" + ",".join(f"{value:.6g}" for value in row.tolist()) + "]"


def main() -> None:
    rows, space = vectors(), uuid.uuid4()
    kind = f"vector({DIMENSION})"
    ask = f"SELECT id FROM near_bench WHERE space_id = '{space}' AND present ORDER BY vector::{kind} <=> %s::{kind} LIMIT {NEAREST}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        database.execute("CREATE EXTENSION IF NOT EXISTS vector")
        database.execute("DROP TABLE IF EXISTS near_bench")
        database.execute("CREATE TABLE near_bench (id bigint PRIMARY KEY, space_id uuid, present boolean, vector vector)")
        try:
            begun = time.perf_counter()
            with database.cursor() as cursor, cursor.copy("COPY near_bench FROM STDIN") as copy:
                for n, row in enumerate(rows):
                    copy.write_row([n, space, True, written(row)])
            copied = time.perf_counter() - begun
            database.execute("ANALYZE near_bench")
            chosen = np.random.default_rng(1).integers(COUNT, size=ASKED)
            exact, floor = _ask(database, ask, rows, chosen[:40])
            begun = time.perf_counter()
            database.execute("SET maintenance_work_mem = '256MB'")
            database.execute(
                f"CREATE INDEX near_bench_index ON near_bench USING hnsw ((vector::{kind}) vector_cosine_ops) WHERE space_id = '{space}'"
            )
            built = time.perf_counter() - begun
            database.execute("SET hnsw.iterative_scan = 'strict_order'; SET hnsw.ef_search = 100")
            found, ours = _ask(database, ask, rows, chosen)
            true = [set(np.argsort(-(rows @ rows[n]))[:NEAREST].tolist()) for n in chosen]
            recall = statistics.mean(len(t & set(f)) / NEAREST for t, f in zip(true, found, strict=True))
            size = database.execute("SELECT pg_relation_size('near_bench_index')").fetchone()
        finally:
            database.execute("DROP TABLE near_bench")
    assert all(len(set(a) & t) >= NEAREST - 1 for a, t in zip(exact, true[:40], strict=True)), "looking at all of them is exact"
    middle, most = statistics.median(ours), sorted(ours)[int(0.99 * len(ours))]
    looked = statistics.median(floor)
    print(Row(part="near", name="the nearest of 100,000, p50", ours=middle, floor=looked, unit="ms", floor_is="looking at all").line())
    print(Row(part="near", name="the nearest of 100,000, p99", ours=most, floor=looked, unit="ms", floor_is="looking at all").line())
    print(Row(part="near", name="recall of the ten nearest", ours=recall, floor=1.0, unit="", floor_is="all of them").line())
    print(
        Row(
            part="near",
            name="making the index",
            ours=built,
            floor=copied,
            unit="s",
            floor_is=f"copying them in; {(size or [0])[0] / 1e6:.0f} MB",
        ).line()
    )


def _ask(database: Any, ask: str, rows: Any, chosen: Any) -> tuple[list[list[int]], list[float]]:
    found, times = [], []
    for n in chosen:
        begun = time.perf_counter()
        found.append([row[0] for row in database.execute(ask, [written(rows[n])], prepare=False).fetchall()])
        times.append(1000 * (time.perf_counter() - begun))
    return found, times


if __name__ == "__main__":
    main()
