"""A whole engine of real processes for tests and measurements: PostgreSQL, Valkey, workers, reaper, each of which may be killed."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import redis

from infra.supervisor import postgres, valkey
from tests import tables

ROOT = Path(__file__).resolve().parents[3]
PLUGIN = Path(__file__).resolve().parent / "plugin"
Json = dict[str, Any]
FINISHED = ("succeeded", "failed", "cancelled")


def step(component: str, *wires: str, port: str = "", **parameters: Any) -> Json:
    """A step whose inputs come from the named steps (`name` or `name.output`)."""
    ports = {"add": "first", "halve": "whole", "score": "of"}
    outputs = {"score": "metrics"}
    refs = [{"step": w.partition(".")[0], "output": w.partition(".")[2] or outputs.get(w, "recipe")} for w in wires]
    return {"component": component, "parameters": parameters, "inputs": {port or ports.get(component, "after"): refs} if refs else {}}


class Studio:
    """Everything in one temporary folder; `env` is what its processes see."""

    def __init__(self, *, durable: bool = False, **env: str):
        self.folder = Path(tempfile.mkdtemp(prefix="hr-eng-"))
        self.folder.chmod(0o755)
        self.sockets = self.folder / "s"
        self.sockets.mkdir()
        self.sockets.chmod(0o777)
        self.log = (self.folder / "log").open("wb")
        self.durable = durable
        self.processes: list[subprocess.Popen[bytes]] = []
        self.marks = self.folder / "marks"
        self.marks.mkdir()
        if who := postgres.account():
            os.chown(self.folder, who.pw_uid, who.pw_gid)
        self.url = f"postgresql://headrace@/postgres?host={self.sockets}"
        self.broker = f"redis+socket://{self.sockets}/vk.sock"
        self.env = {
            **os.environ, "DATABASE_URL": self.url, "BROKER_URL": self.broker, "HEADRACE_DATA_DIR": str(self.folder / "data"),
            "SECRET_KEY": "a-key-that-nobody-may-see-in-a-log", "DJANGO_SETTINGS_MODULE": "backend.config.settings",
            "HEADRACE_LEASE_S": "4",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{PLUGIN}", "OMP_NUM_THREADS": "1", "HEADRACE_RETRY_PAUSE_S": "0.1",
            "HEADRACE_PRELOAD": "0", **env,
        }  # fmt: skip
        self.env.pop("ARTIFACT_URL", None)
        (self.folder / "vk").mkdir()
        self.start_valkey()
        tables.copy(self.folder / "pg")
        self.start_postgres()
        self.wait_for_postgres()
        self.project, self.user, self.version = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
        with self.sql() as connection:
            pipeline = uuid.uuid4()
            connection.execute(
                "INSERT INTO core_user (id, email, name, password, is_active, is_staff, is_superuser, date_joined)"
                " VALUES (%s, 'starter@lab.example', '', '', true, false, false, now())", (self.user,))  # fmt: skip
            connection.execute(
                "INSERT INTO core_project (id, slug, name, description, created_at) VALUES (%s, 'lab', 'Lab', '', now())", (self.project,)
            )
            connection.execute(
                "INSERT INTO pipelines_pipeline (id, project_id, slug, name, description, draft, draft_base, draft_digest,"
                " created_at, updated_at)"
                " VALUES (%s, %s, 'line', 'Line', '', '{}', 0, '', now(), now())", (pipeline, self.project))  # fmt: skip
            connection.execute(
                "INSERT INTO pipelines_pipelineversion (id, pipeline_id, number, graph, digest, note, created_at) VALUES (%s, %s,"
                " 1, '{}', '', '', now())",
                (self.version, pipeline))  # fmt: skip

    # Processes

    def spawn(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", *command], env=self.env, cwd=ROOT, stdout=self.log, stderr=self.log)
        self.processes.append(process)
        return process

    def start_postgres(self) -> None:
        command = [*postgres.command(self.folder / "pg", self.sockets), *([] if self.durable else ["-F"])]
        given: Json = {"stdout": self.log, "stderr": self.log, "cwd": "/", **postgres.demotion()}
        self.postgres = subprocess.Popen(command, **given)

    def start_valkey(self) -> None:
        self.valkey = subprocess.Popen(valkey.command(self.folder / "vk", self.sockets / "vk.sock"), stdout=self.log, stderr=self.log)

    def wait_for_postgres(self) -> None:
        def ready() -> bool:
            if self.postgres.poll() is not None:  # old backends may hold the shared memory for a moment after a kill
                self.start_postgres()
            with contextlib.suppress(psycopg.OperationalError):
                self.sql().close()
                return True
            return False

        until(ready, 30)

    def worker(self, concurrency: int = 2, queues: str = "io,cpu,gpu", app: str = "workers.celery") -> subprocess.Popen[bytes]:
        name = f"{uuid.uuid4().hex[:8]}@test"
        process = self.spawn("celery", "-A", app, "worker", "-Q", queues, "-c", str(concurrency), "-n", name,
        "--loglevel", "warning",
                             "--without-gossip", "--without-mingle")  # fmt: skip
        until(lambda: len(children(process.pid)) >= concurrency, 120)
        return process

    def reaper(self) -> subprocess.Popen[bytes]:
        return self.spawn("workers.engine.reaper")

    def close(self) -> None:
        for process in self.processes:
            for pid in [process.pid, *(c for c in children(process.pid))]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
        self.valkey.kill()
        self.valkey.wait()
        self.postgres.send_signal(signal.SIGQUIT)
        self.postgres.wait()
        self.log.close()
        if os.environ.get("HEADRACE_TEST_LOG"):
            sys.stderr.write((self.folder / "log").read_text(errors="replace"))
        shutil.rmtree(self.folder, ignore_errors=True)

    # The ledger

    def sql(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=True, connect_timeout=5)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.sql() as connection:
            return connection.execute(sql, parameters).fetchall()

    def plan(self, steps: dict[str, Json]) -> tuple[Json, list[Json], list[Json]]:
        """What `ledger_start` takes for this graph."""
        from workers import catalog
        from workers.sdk import graph as graphs

        graph = graphs.normalise({"steps": steps})
        planned, inputs = graphs.plan(graph, catalog.load().components, uuid.uuid4)
        return {
            "id": str(uuid.uuid4()), "project_id": str(self.project), "name": "", "pipeline_version_id": str(self.version), "graph": graph,
            "parameters": {}, "use_cache": True, "rerun_of": None, "started_by": str(self.user),
        }, planned, inputs  # fmt: skip

    def start(self, steps: dict[str, Json], *, use_cache: bool = True, tell: bool = True) -> Json:
        """Start a run and wake the workers, as the studio does."""
        run, planned, inputs = self.plan(steps)
        run["use_cache"] = use_cache
        with self.sql() as connection:
            answer = connection.execute(
                "SELECT ledger_start(%s::jsonb, %s::jsonb, %s::jsonb, 32)", [json.dumps(x) for x in (run, planned, inputs)]
            ).fetchone()[0]
        if tell:
            self.wake(answer["ready"])
        return {**answer, "id": run["id"], "steps": {s["step"]: s["id"] for s in planned}}

    def wake(self, ready: list[Json]) -> None:
        from celery import Celery

        if not hasattr(self, "_app"):
            self._app = Celery("test", broker=self.broker, set_as_current=False)  # else it would be the web's in this process, too
        with contextlib.suppress(Exception):
            for one in ready:
                self._app.send_task("headrace.wake", args=[one["id"]], queue=one["queue"], retry=False, ignore_result=True)

    def run(self, run_id: str) -> Json:
        (found,) = self.query("SELECT to_jsonb(r) - 'graph' FROM runs_run r WHERE id = %s", run_id)
        return found[0]

    def steps(self, run_id: str) -> dict[str, Json]:
        return {row[0]["step"]: row[0] for row in self.query("SELECT to_jsonb(s) FROM runs_steprun s WHERE run_id = %s", run_id)}

    def wait(self, run_id: str, seconds: float = 60) -> Json:
        def over() -> bool:
            with contextlib.suppress(psycopg.OperationalError):
                return self.run(run_id)["status"] in FINISHED
            return False

        until(
            over,
            seconds,
            lambda: f"{self.run(run_id)} {[(s['step'], s['status'], s['attempt'], s['worker']) for s in self.steps(run_id).values()]}",
        )
        return self.run(run_id)

    def value(self, run_id: str, name: str) -> Any:
        """The inline value a step gave."""
        ((found,),) = self.query(
            "SELECT a.inline FROM runs_steprun s JOIN runs_stepoutput o ON o.step_run_id = s.id JOIN artifacts_artifact a ON a.id ="
            " o.artifact_id"
            " WHERE s.run_id = %s AND s.step = %s", run_id, name)  # fmt: skip
        return found

    def lines(self, run_id: str, name: str) -> list[tuple[str, str, str]]:
        return self.query(
            "SELECT l.stream, l.level, l.text FROM runs_logline l JOIN runs_steprun s ON s.id = l.step_run_id WHERE s.run_id = %s"
            " AND s.step = %s ORDER BY l.id",
            run_id, name)  # fmt: skip

    def marked(self, pattern: str) -> list[str]:
        return sorted(p.name for p in self.marks.glob(pattern))

    def connect_valkey(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.sockets / "vk.sock"))


def children(pid: int) -> list[int]:
    """All that a process has started, and what those have."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        with contextlib.suppress(OSError):  # it has ended since it was found
            for task in list(Path(f"/proc/{one}/task").glob("*/children")):
                with contextlib.suppress(OSError):
                    found += (new := [int(c) for c in task.read_text().split()])
                    waiting += new
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(true: Callable[[], Any], seconds: float, why: Callable[[], str] = lambda: "") -> Any:
    """Wait for something; fails with `why` after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := true()):
        if time.monotonic() > end:
            raise AssertionError(f"did not come true in {seconds} s {why()}")
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def plugin() -> Iterator[None]:
    """The test components in this process's catalogue, as if installed; gone again afterwards."""
    from workers import catalog

    sys.path.insert(0, str(PLUGIN))
    importlib.invalidate_caches()
    catalog.load.cache_clear()
    try:
        yield
    finally:
        sys.path.remove(str(PLUGIN))
        importlib.invalidate_caches()
        catalog.load.cache_clear()


@contextlib.contextmanager
def studio(**options: Any) -> Iterator[Studio]:
    with plugin():
        made = Studio(**options)
        try:
            yield made
        finally:
            made.close()


def fingerprint(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
