"""`python -m tests.bench.engine [PART…]`: what a step costs, beside what it must cost at least, measured in the same minute. Prints
`tests.bench.main.Row`s. Parts: chain, http, fan, long, crowd, idle; all of them by default.

The floors: a Python loop with two PostgreSQL commits a step, a bare Celery round trip, one look-up with one insert. PostgreSQL syncs to
disk in all of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import psycopg

from infra.supervisor.web import LISTEN_FD
from tests.bench.main import Row
from tests.workers.engine.studio import ROOT, Studio, children, step, studio, until

Json = dict[str, Any]
ROUNDS = 5
SECRET = "hr_" + "b" * 43


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


def look_up(lab: Studio) -> float:
    """Seconds for finding one row and adding another."""
    with lab.sql() as connection:
        connection.prepare_threshold = 0
        connection.execute("CREATE TABLE IF NOT EXISTS known (id uuid PRIMARY KEY, status text)")
        taken = []
        for _ in range(20):
            begun = time.perf_counter()
            connection.execute("SELECT status FROM known WHERE id = %s", (uuid.uuid4(),)).fetchone()
            connection.execute("INSERT INTO known VALUES (%s, 'succeeded')", (uuid.uuid4(),))
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def round_trip(lab: Studio) -> float:
    """Seconds from sending a wake-up for nothing to a worker's having looked at it."""
    client = lab.connect_valkey()
    begun = time.perf_counter()
    lab.wake([{"id": "00000000-0000-0000-0000-000000000000", "queue": "cpu"}])
    while client.llen("cpu") or client.hlen("unacked"):
        pass
    return time.perf_counter() - begun


@cache
def watching(lab: Studio) -> psycopg.Connection[Any]:
    """Open for as long as the studio: a new process of the database for each look would take a tenth of what is measured."""
    return lab.sql()


def ended(lab: Studio, *runs: str) -> None:
    """Waits until all of these runs have succeeded."""

    def left() -> list[tuple[str, str]]:
        return (
            watching(lab)
            .execute("SELECT id::text, status FROM runs_run WHERE id = ANY (%s) AND status <> 'succeeded'", (list(runs),))
            .fetchall()
        )

    until(lambda: not left(), 600, lambda: f"{left()}")


def worked(lab: Studio, run: str) -> float:
    """Seconds from a run's first step to its end."""
    ended(lab, run)
    ((seconds,),) = lab.query("SELECT extract(epoch FROM finished_at - started_at)::float8 FROM runs_run WHERE id = %s", run)
    return float(seconds)


def ran(lab: Studio, steps: dict[str, Json]) -> float:
    return worked(lab, lab.start(steps)["id"])


class Web:
    """The studio's web process, and somebody who may start runs over it."""

    def __init__(self, lab: Studio):
        self.lab = lab
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        lab.processes.append(
            subprocess.Popen([sys.executable, "-m", "infra.supervisor.web"], env={**lab.env, LISTEN_FD: str(listener.fileno())}, cwd=ROOT,
                             stdout=lab.log, stderr=lab.log, pass_fds=(listener.fileno(),))
        )  # fmt: skip
        with lab.sql() as connection:
            connection.execute(
                "INSERT INTO core_membership (project_id, user_id, role, created_at) VALUES (%s, %s, 'owner', now())"
                " ON CONFLICT DO NOTHING",
                (lab.project, lab.user),
            )
            connection.execute(
                "INSERT INTO core_apitoken (id, user_id, name, prefix, token_hash, created_at) VALUES (%s, %s, 'bench', '', %s, now())"
                " ON CONFLICT DO NOTHING",
                (uuid.uuid4(), lab.user, hashlib.sha256(SECRET.encode()).hexdigest()),
            )
        self.address = f"http://127.0.0.1:{port}"
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with lab.sql() as connection:
            ((self._versions,),) = connection.execute("SELECT max(number) FROM pipelines_pipelineversion").fetchall()

    def publish(self, steps: dict[str, Json]) -> int:
        """A pipeline version with these steps; its number."""
        from workers.sdk import graph as graphs

        self._versions += 1
        with self.lab.sql() as connection:
            connection.execute(
                "INSERT INTO pipelines_pipelineversion (id, pipeline_id, number, graph, digest, note, created_at)"
                " SELECT %s, pipeline_id, %s, %s, %s, '', now() FROM pipelines_pipelineversion WHERE id = %s",
                (uuid.uuid4(), self._versions, json.dumps(graphs.normalise({"steps": steps})), str(self._versions), self.lab.version),
            )
        return self._versions

    def start(self, version: int) -> tuple[Json, float, float]:
        """(the run as it is told, when it was asked for, seconds until it was told)."""
        body = json.dumps({"pipeline": "line", "version": version})
        asked, begun = time.time(), time.perf_counter()
        self._http.request("POST", "/api/v1/projects/lab/runs", body,
                           {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"})  # fmt: skip
        answer = self._http.getresponse()
        text = answer.read()
        taken = time.perf_counter() - begun
        assert answer.status == 201, text
        return json.loads(text), asked, taken

    def body(self, name: str) -> float:
        """Seconds from asking for a run to its first step's function being called, in that function's own words."""
        first = step("mark", folder=str(self.lab.marks), name=name)
        run, asked, _ = self.start(self.publish({"first": first, "then": step("nothing", "first", note=name)}))
        ended(self.lab, run["id"])
        (begun,) = self.lab.marked(f"{name}.begun.*")
        return int(begun.split(".")[2]) / 1e9 - asked


def busy(lab: Studio) -> float:
    """Seconds of the processors that the workers, the database and the broker have used."""
    used = 0.0
    for root in (lab.postgres.pid, lab.valkey.pid, *(process.pid for process in lab.processes)):
        for pid in (root, *children(root)):
            with contextlib.suppress(psutil.NoSuchProcess):  # of the database, one for a question of ours
                used += sum(psutil.Process(pid).cpu_times()[:2])
    return used


def median(measure: Callable[[int], float], rounds: int = ROUNDS) -> float:
    return statistics.median(measure(i) for i in range(rounds))


def row(name: str, value: float, floor: float, floor_name: str, unit: str = "ms") -> None:
    scale = 1000 if unit == "ms" else 1
    found = Row(part="engine", name=name, ours=round(value * scale, 3), floor=round(floor * scale, 3), unit=unit, floor_is=floor_name)
    print(found.line(), flush=True)


def chains(lab: Studio) -> None:
    floor = median(lambda i: commits(lab, 100) / 100)
    row("chain of 100, per step", median(lambda n: ran(lab, chain(f"chain {n}")) / 100), floor, "two commits a step")


def over_http(lab: Studio) -> None:
    web = Web(lab)
    until(lambda: web.body(f"warm{uuid.uuid4().hex}") < 60, 60)
    trip = median(lambda i: round_trip(lab), 20)
    row("asked over HTTP to first step's body", median(lambda n: web.body(f"http{n}"), 20), trip, "Celery round trip")
    version = web.publish(chain("cached"))
    worked(lab, web.start(version)[0]["id"])
    floor = median(lambda i: look_up(lab))
    row("the same 100 again, all cached, seen by the caller", median(lambda n: web.start(version)[2], 10), floor, "a look-up and an insert")


def fans(lab: Studio) -> None:
    floor = median(lambda i: commits(lab, 202))
    row("fan-out of 200 and join, in all", median(lambda n: ran(lab, fan(f"fan {n}"))), floor, "two commits a step")


def long(lab: Studio) -> None:
    """Ten times the steps: the same a step, and a worker as large as before. The floor is the shorter one. And the page of such a run,
    beside one of ten steps."""

    def size() -> float:
        return sum(psutil.Process(pid).memory_info().rss for process in lab.processes for pid in children(process.pid)) / 1e6

    short = ran(lab, chain("short", 1000)) / 1000
    before = size()
    begun = time.perf_counter()
    run = lab.start(chain("long", 10_000))["id"]
    row("10,000 steps, to start", time.perf_counter() - begun, commits(lab, 1), "two commits")
    row("10,000 steps, per step", worked(lab, run) / 10_000, short, "a step of 1,000")
    row("workers after 10,000 steps", size(), before, "before them", "MB")
    large, small = pages(lab, 100), pages(lab, 1)
    row("10,000 steps, page until it answers the hand", large, small, "a run of 100", "s")


ENTER = """
import django; django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from backend.core.models import User
from django.conf import settings
user, session = User.objects.get(email="starter@lab.example"), SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
print(session.session_key)
"""


def pages(lab: Studio, rows: int) -> float:
    """Seconds from asking for the page of a run of so many rows of a hundred steps to its first steps being there and the page idle, in
    Chromium: the median of three."""
    from tests.e2e.browser import DESK, browser

    subprocess.run([sys.executable, "-m", "django", "collectstatic", "--no-input", "-v", "0"], env=lab.env, cwd=ROOT, check=True)
    web = Web(lab)
    steps = {"first": step("nothing", note=f"page {rows}")}
    for n in range(100 * rows - 1):
        steps[f"s{n}"] = step("nothing", f"s{n - rows}" if n >= rows else "first", note=f"page {rows} {n}")
    run = web.start(web.publish(steps))[0]["id"]
    ended(lab, run)
    entered = subprocess.run([sys.executable, "-c", ENTER], env=lab.env, cwd=ROOT, check=True, capture_output=True, text=True)
    taken = []
    with browser() as chromium:
        context = chromium.new_context(viewport=DESK)  # type: ignore[arg-type]  # the two numbers of ViewportSize
        context.add_cookies([{"name": "headrace_session", "value": entered.stdout.split()[-1], "url": web.address}])
        for _ in range(3):
            page = context.new_page()
            page.goto(f"{web.address}/p/lab/runs")
            page.wait_for_load_state("networkidle")
            begun = time.perf_counter()
            page.goto(f"{web.address}/p/lab/runs/{run}")
            page.locator(".react-flow__node").first.wait_for(timeout=120_000)
            page.evaluate("() => new Promise((idle) => requestIdleCallback(idle))")
            taken.append(time.perf_counter() - begun)
            page.close()
    return statistics.median(taken)


def crowd(lab: Studio) -> None:
    """50 runs of 100 steps at once on two workers, beside one after the other; whether they share; and what a step takes of the
    processors in both cases. (A chain alone uses its database and a thread beside the steps at the same time: more than one processor.
    Where there are but two, two chains cannot be twice as fast as one.)"""
    before = busy(lab)
    alone = median(lambda n: ran(lab, chain(f"alone {n}")))
    taken_alone = (busy(lab) - before) / ROUNDS / 100
    made = [lab.start(chain(f"crowd {n}"), tell=False) for n in range(50)]  # else the first would end while the last is being made
    runs = [run["id"] for run in made]
    before = busy(lab)
    lab.wake([step for run in made for step in run["ready"]])
    ended(lab, *runs)
    taken_together = (busy(lab) - before) / 50 / 100
    ((taken, last_begun, first_ended),) = lab.query(
        """SELECT extract(epoch FROM max(finished_at) - min(started_at))::float8,
                  extract(epoch FROM max(started_at) - min(started_at))::float8,
                  extract(epoch FROM min(finished_at) - min(started_at))::float8 FROM runs_run WHERE id = ANY(%s)""",
        runs,
    )
    row("50 runs of 100 at once, two workers", taken, alone * 50 / 2, "50 chains over two")
    row("50 runs at once: the last begins", last_begun, first_ended, "the first ends")
    row(f"50 runs at once: of {os.cpu_count()} processors, per step", taken_together, taken_alone, "a step of one run alone")


def idle() -> None:
    """A whole studio that nobody uses, 30 seconds of it. The floor is the issue's bound."""
    with tempfile.TemporaryDirectory(prefix="hr-idle-") as folder:
        env = {**os.environ, "HEADRACE_DATA_DIR": f"{folder}/data"}
        for name in ("DATABASE_URL", "BROKER_URL", "ARTIFACT_URL"):
            env.pop(name, None)
        log = Path(folder, "log")
        with log.open("wb") as out:
            up = subprocess.Popen([sys.executable, "manage.py", "up", "--data-dir", f"{folder}/data", "--port", "0"], cwd=ROOT, env=env,
                                  stdout=out, stderr=out)  # fmt: skip
        try:
            until(lambda: "http" in log.read_text(errors="replace"), 180, lambda: log.read_text(errors="replace"))
            time.sleep(20)
            own = [psutil.Process(pid) for pid in (up.pid, *children(up.pid))]

            def used() -> float:
                return sum(sum(p.cpu_times()[:2]) for p in own if p.is_running())

            before, begun = used(), time.perf_counter()
            time.sleep(30)
            busy = (used() - before) / (time.perf_counter() - begun)
            resident = sum(p.memory_full_info().pss for p in own if p.is_running()) / 1e6
        finally:
            up.terminate()
            up.wait(60)
    row("idle studio, of one core", busy * 100, 0, "nothing", "%")
    row("idle studio, all its processes", resident, 0, "nothing", "MB")


PARTS: dict[str, Callable[[Studio], None]] = {"chain": chains, "http": over_http, "fan": fans, "long": long, "crowd": crowd}


def main() -> None:
    os.environ.setdefault("SECRET_KEY", "only-for-measuring")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
    import django

    django.setup()
    wanted = sys.argv[1:] or [*PARTS, "idle"]
    if parts := [PARTS[name] for name in wanted if name != "idle"]:
        with studio(durable=True, HEADRACE_PRELOAD="1") as lab:
            lab.reaper()
            lab.worker(2)
            for n in range(4):
                ran(lab, chain(f"warm {n}", 20))  # both processes have run something
            for part in parts:
                part(lab)
    if "idle" in wanted:
        idle()


if __name__ == "__main__":
    main()
