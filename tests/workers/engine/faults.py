"""A whole studio that is harmed at random, and graphs whose results are known: what `test_faults.py` plays with.

Everything follows from one seed: the graphs, who is harmed, how, when and for how long. (What the machine does in between does not.)
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from tests.workers.engine.studio import PLUGIN, ROOT, Studio, children, until
from workers.sdk.client import ApiError, Client

Json = dict[str, Any]
SKEW = Path(__file__).resolve().parent / "skew"
"""A `sitecustomize` that moves a process's clock."""
DISK = 192 << 20


def ref(step: str, output: str = "recipe") -> Json:
    return {"step": step, "output": output}


def graph(chance: random.Random) -> Json:
    """Five to twenty steps of every pattern: wires at random, shards, rounds, failures that pass, processes of their own, and now and
    then a mistake that no retry mends. What it gives depends on nothing but itself."""
    steps: dict[str, Json] = {}
    known: list[tuple[str, str]] = []
    for n in range(chance.randint(5, 20)):
        name = f"s{n}"
        kind = chance.choices(
            ["number", "add", "halve", "mark", "fail", "many", "rounds", "burn", "mistake"], [3, 6, 3, 6, 2, 2, 1, 1, 0.25]
        )[0]  # fmt: skip
        if not known and kind in ("add", "halve", "many", "rounds"):
            kind = "number"
        some = [ref(*chance.choice(known)) for _ in range(chance.randint(1, 3))] if known else []
        some = [dict(pair) for pair in {tuple(sorted(one.items())) for one in some}]
        some.sort(key=lambda one: one["step"])
        lasts = {"folder": {"$parameter": "folder"}, "name": name, "seconds": round(chance.choice([0, 0, 0.05, 0.3]), 2)}
        step: Json = {"retries": 10}
        match kind:
            case "number":
                step |= {"component": "number", "parameters": {"value": chance.randint(0, 9)}}
            case "add":
                step |= {"component": "add", "parameters": {"plus": chance.randint(0, 9)}, "inputs": {"first": some}}
            case "halve":
                step |= {"component": "halve", "inputs": {"whole": some[:1]}}
            case "mark":
                step |= {"component": "mark", "parameters": lasts, "inputs": {"after": some} if some else {}}
            case "fail":
                step |= {
                    "component": "fail_apart",
                    "parameters": {"folder": {"$parameter": "folder"}, "name": name, "times": chance.randint(1, 2)},
                }
            case "many":
                plus = [{"plus": p} for p in range(chance.randint(2, 12))]
                step |= {"component": "add", "inputs": {"first": some}, "map": {"values": plus, "at_once": chance.randint(1, 4)}}
            case "rounds":
                step |= {"component": "add", "parameters": {"plus": 1}, "inputs": {"first": some[:1]},
                         "repeat": {"at_most": chance.randint(2, 4), "carry": {"first": "recipe"}}}  # fmt: skip
            case "burn":
                step |= {"component": "burn", "parameters": {"folder": {"$parameter": "folder"}, "seconds": 0.3}}
            case "mistake":
                step |= {"component": "fail", "parameters": {"folder": {"$parameter": "folder"}, "mistake": True}}
        steps[name] = step
        if kind not in ("many", "mistake"):
            known.append((name, "recipe"))
    return {"parameters": {"folder": {"type": "string"}}, "steps": steps}


class World(Studio):
    """The studio, its web process, two workers and two reapers; `harm` does something bad to a part, which is put right later."""

    def __init__(self, chance: random.Random) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        super().__init__(
            durable=True, ALLOWED_HOSTS="127.0.0.1", HEADRACE_API_URL=f"http://127.0.0.1:{self.port}", HEADRACE_LOSSES="1000",
            HEADRACE_UNACKED_S="8", HEADRACE_RETRY_PAUSE_S="0.05",
        )  # fmt: skip
        self.chance = chance
        self.harms: Counter[str] = Counter()
        self._parts: dict[str, subprocess.Popen[bytes]] = {}
        self._due: list[tuple[float, str, Callable[[], None]]] = []
        self._hurt: set[str] = set()
        self.disk = self._mount()
        secret = "hr_" + uuid.uuid4().hex
        with self.sql() as connection:
            connection.execute(
                "INSERT INTO core_membership (project_id, user_id, role, created_at) VALUES (%s, %s, 'owner', now())",
                (self.project, self.user),
            )
            connection.execute(
                "INSERT INTO core_apitoken (id, user_id, name, prefix, token_hash, created_at) VALUES (%s, %s, 'faults', %s, %s, now())",
                (uuid.uuid4(), self.user, secret[:10], hashlib.sha256(secret.encode()).hexdigest()))  # fmt: skip
        self.token = secret
        for name in ("web", "worker 1", "worker 2", "reaper 1", "reaper 2"):
            self._begin(name)
        until(self._answers, 120)

    def _mount(self) -> Path | None:
        """The data folder as a small disk of its own that can be filled; None where this account may not mount."""
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(data)], check=False, capture_output=True)
        return data if done.returncode == 0 else None

    def _begin(self, name: str, skew: float = 0) -> None:
        kind = name.split()[0]
        command = {
            "web": ["uvicorn", "backend.config.asgi:application", "--port", str(self.port), "--lifespan", "off", "--log-level", "warning"],
            "reaper": ["workers.engine.reaper"],
            "worker": ["celery", "-A", "workers.celery", "worker", "-Q", "io,cpu,gpu", "-c", "2", "-n", f"{uuid.uuid4().hex[:8]}@test",
                       "--loglevel", "warning", "--without-gossip", "--without-mingle"],
        }[kind]  # fmt: skip
        environment = self.env
        if skew:
            path = f"{SKEW}{os.pathsep}{ROOT}{os.pathsep}{PLUGIN}"
            environment = {**self.env, "PYTHONPATH": path, "HEADRACE_TEST_SKEW": str(skew)}
        process = subprocess.Popen([sys.executable, "-m", *command], env=environment, cwd=ROOT, stdout=self.log, stderr=self.log)
        self.processes.append(process)
        self._parts[name] = process

    def _answers(self) -> bool:
        with contextlib.suppress(ApiError), Client(f"http://127.0.0.1:{self.port}", self.token, "lab", patience_s=0) as client:
            client.me()
            return True
        return False

    # Harm

    def harm(self) -> None:
        """Harm one part that is well, and remember when to put it right."""
        well = [p for p in ("postgres", "valkey", "disk", *self._parts) if p not in self._hurt and (p != "disk" or self.disk)]
        if not well:
            return
        part = self.chance.choice(well)
        ways: dict[str, list[Callable[[str], tuple[str, Callable[[], None]]]]] = {
            "postgres": [self._kill_postgres, self._stop, self._cut_postgres],
            "valkey": [self._kill_valkey, self._lose_valkey, self._stop, self._cut_valkey],
            "disk": [self._fill], "worker": [self._kill, self._kill_child, self._stop, self._skew],
            "reaper": [self._kill, self._stop, self._skew], "web": [self._kill, self._stop],
        }  # fmt: skip
        word, repair = self.chance.choice(ways[part.split()[0]])(part)
        self.harms[f"{part.split()[0]}: {word}"] += 1
        self._hurt.add(part)
        self._due.append((time.monotonic() + self.chance.uniform(0.2, 6), part, repair))

    def mend(self, *, all_of_it: bool = False) -> None:
        """Put right what is due."""
        for one in sorted(self._due, key=lambda d: d[0]):
            if all_of_it or one[0] <= time.monotonic():
                self._due.remove(one)
                one[2]()
                self._hurt.discard(one[1])

    def all_well(self) -> None:
        """No part that nobody ended has ended: it would lose its steps, and only the supervisor would start it again."""
        for name, process in self._parts.items():
            if name not in self._hurt and process.poll() is not None:
                said = (self.folder / "log").read_text(errors="replace")[-6000:]
                raise AssertionError(f"{name} ended by itself ({process.poll()}): {dict(self.harms)}\n{said}")

    def _family(self, part: str) -> list[int]:
        process: subprocess.Popen[Any] = self.postgres if part == "postgres" else self.valkey if part == "valkey" else self._parts[part]
        return [process.pid, *children(process.pid)]

    def _kill(self, part: str) -> tuple[str, Callable[[], None]]:
        family = self._family(part) if part.startswith("worker") and self.chance.random() < 0.7 else [self._parts[part].pid]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._parts[part].wait()
        return ("killed" if len(family) == 1 else "killed with its children"), lambda: self._begin(part)

    def _kill_child(self, part: str) -> tuple[str, Callable[[], None]]:
        if below := self._family(part)[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.chance.choice(below), signal.SIGKILL)
        return "a child killed", lambda: None

    def _stop(self, part: str) -> tuple[str, Callable[[], None]]:
        family = self._family(part)

        def go(sign: int) -> None:
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)

        go(signal.SIGSTOP)
        return "stopped for a while", lambda: go(signal.SIGCONT)

    def _skew(self, part: str) -> tuple[str, Callable[[], None]]:
        self._parts[part].kill()
        self._parts[part].wait()
        self._begin(part, skew=self.chance.choice([-172_800, -3_600, -5, 5, 3_600, 172_800]))
        return "another clock", lambda: None

    def _kill_postgres(self, part: str) -> tuple[str, Callable[[], None]]:
        self.postgres.send_signal(self.chance.choice([signal.SIGKILL, signal.SIGQUIT]))
        self.postgres.wait()

        def begin() -> None:
            self.start_postgres()
            self.wait_for_postgres()

        return "killed", begin

    def _kill_valkey(self, part: str) -> tuple[str, Callable[[], None]]:
        self.valkey.kill()
        self.valkey.wait()
        return "killed", self.start_valkey

    def _lose_valkey(self, part: str) -> tuple[str, Callable[[], None]]:
        self._kill_valkey(part)
        shutil.rmtree(self.folder / "vk")
        (self.folder / "vk").mkdir()
        return "killed, with all it held", self.start_valkey

    def _away(self, name: str) -> tuple[Path, Callable[[], None]]:
        """Take a socket away: nobody new comes in."""
        there, away = self.sockets / name, self.sockets / "away"
        away.mkdir(exist_ok=True)
        away.chmod(0o777)
        there.rename(away / name)

        def back() -> None:
            (away / name).rename(there)

        return away, back

    def _cut_postgres(self, part: str) -> tuple[str, Callable[[], None]]:
        away, back = self._away(".s.PGSQL.5432")
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(f"postgresql://headrace@/postgres?host={away}", autocommit=True) as sql,
        ):
            sql.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'headrace'")
        return "cut off", back

    def _cut_valkey(self, part: str) -> tuple[str, Callable[[], None]]:
        import redis

        away, back = self._away("vk.sock")
        with contextlib.suppress(redis.RedisError):
            redis.Redis(unix_socket_path=str(away / "vk.sock")).execute_command("CLIENT", "KILL", "SKIPME", "yes")
        return "cut off", back

    def _fill(self, part: str) -> tuple[str, Callable[[], None]]:
        assert self.disk is not None
        filler = self.disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))
        return "full", lambda: filler.unlink(missing_ok=True)

    # What is left

    def leftovers(self) -> list[str]:
        """Processes that know this studio's folder, after all its parts have ended."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(folder.name) != os.getpid() and str(self.folder).encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:200])
        return found

    def end_parts(self) -> None:
        """As `down` does: ask, and wait."""
        for process in self._parts.values():
            process.terminate()
        for process in self._parts.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()

    def close(self) -> None:
        self.mend(all_of_it=True)
        super().close()
        if self.disk is not None:
            subprocess.run(["umount", "-l", str(self.disk)], check=False)
            shutil.rmtree(self.folder, ignore_errors=True)
