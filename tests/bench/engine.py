"""`python -m tests.bench.engine`: what a step costs, beside what it must cost at least, measured in the same minute. Prints
`tests.bench.main.Row`s.

The floors: a Python loop with two PostgreSQL commits a step, and a bare Celery round trip. PostgreSQL syncs to disk in both.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from tests.bench.main import Row
from tests.workers.engine.studio import Studio, step, studio

Json = dict[str, Any]
ROUNDS = 5


def chain(note: str, length: int = 100) -> dict[str, Json]:
    steps = {"s0": step("nothing", note=note)}
    for i in range(1, length):
        steps[f"s{i}"] = step("nothing", f"s{i - 1}", note=f"{note} {i}")
    return steps


def fan(note: str, width: int = 200) -> dict[str, Json]:
    steps = {f"f{i}": step("nothing", "first", note=f"{note} {i}") for i in range(width)}
    return {"first": step("nothing", note=note), **steps, "join": step("nothing", *steps, note=f"{note} join")}


def commits(lab: Studio, steps: int) -> float:
    """Seconds for a loop that commits each step's beginning and its end."""
    with lab.sql() as connection:
        connection.prepare_threshold = 0
        connection.execute("CREATE TABLE IF NOT EXISTS floor (id int PRIMARY KEY, status text)")
        connection.execute("INSERT INTO floor SELECT n, 'queued' FROM generate_series(1, %s) n ON CONFLICT DO NOTHING", (steps,))
        begun = time.perf_counter()
        for i in range(1, steps + 1):
            connection.execute("UPDATE floor SET status = 'running' WHERE id = %s", (i,))
            connection.execute("UPDATE floor SET status = 'succeeded' WHERE id = %s", (i,))
        return time.perf_counter() - begun


def round_trip(lab: Studio) -> float:
    """Seconds from sending a wake-up for nothing to a worker's having looked at it."""
    client = lab.connect_valkey()
    begun = time.perf_counter()
    lab.wake([{"id": "00000000-0000-0000-0000-000000000000", "queue": "cpu"}])
    while client.llen("cpu") or client.hlen("unacked"):
        pass
    return time.perf_counter() - begun


def ran(lab: Studio, steps: dict[str, Json]) -> tuple[float, float, float]:
    """(seconds in the starting call, from created to the first step's start, from that to the end)."""
    begun = time.perf_counter()
    run = lab.start(steps)
    call = time.perf_counter() - begun
    lab.wait(run["id"], 300)
    ((waited, worked),) = lab.query(
        "SELECT extract(epoch FROM started_at - created_at)::float8, extract(epoch FROM finished_at - started_at)::float8 FROM"
        " runs_run WHERE id = %s",
        run["id"],
    )
    return call, waited, worked


def median(measure: Callable[[int], Any], pick: int | None = None) -> float:
    found = [measure(i) for i in range(ROUNDS)]
    return statistics.median(f[pick] if pick is not None else f for f in found)


def row(name: str, value: float, floor: float, floor_name: str) -> None:
    found = Row(part="engine", name=name, ours=round(value * 1000, 3), floor=round(floor * 1000, 3), unit="ms", floor_is=floor_name)
    print(found.line(), flush=True)


def main() -> None:
    os.environ.setdefault("SECRET_KEY", "only-for-measuring")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
    import django

    django.setup()
    with studio(durable=True, HEADRACE_PRELOAD="1") as lab:
        lab.reaper()
        lab.worker(2)
        for n in range(4):
            ran(lab, chain(f"warm {n}", 20))  # both processes have run something
        trip = median(lambda i: round_trip(lab))
        floor = median(lambda i: commits(lab, 100) / 100)
        runs = [ran(lab, chain(f"chain {n}")) for n in range(ROUNDS)]
        row("chain of 100, per step", statistics.median(r[2] for r in runs) / 100, floor, "two commits a step")
        row("start to first step", statistics.median(r[1] for r in runs), trip, "Celery round trip")
        again = [ran(lab, chain(f"chain {n}")) for n in range(ROUNDS)]
        row("the same 100 again, all cached, seen by the caller", statistics.median(r[0] for r in again), floor, "two commits")
        floor = median(lambda i: commits(lab, 202))
        row("fan-out of 200 and join, in all", median(lambda n: ran(lab, fan(f"fan {n}")), 2), floor, "two commits a step")


if __name__ == "__main__":
    main()
