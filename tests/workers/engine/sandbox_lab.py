"""A worker of its own for sandbox tests: it runs code steps as it is told, with secrets in its environment, as root or as a plain user.

`python -m tests.workers.engine.sandbox_lab MODE UID|- FOLDER` reads a request a line and answers a line, both JSON.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from workers.engine import perform
from workers.engine import store as artifacts
from workers.engine.sandbox import kernel
from workers.engine.sandbox.box import WORKERS
from workers.engine.sandbox.enter import open_ways
from workers.engine.sandbox.inspect import inspect
from workers.engine.sandbox.limits import Limits
from workers.engine.sandbox.machine import probe, python_folders
from workers.engine.sandbox.run import Sandboxed
from workers.sdk.kinds import KINDS, Table
from workers.sdk.store import Store

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[3]
SECRET = "the-secret-key-of-the-studio"
PLAIN = 61_234
"""An account that nobody has."""


class Lab:
    """The test's side: `run` a text, hear how it ended."""

    def __init__(self, mode: str, *, plain: bool, landlock: int | None = None):
        self.mode, self.plain = mode, plain
        self.folder = Path(tempfile.mkdtemp(prefix="hr-box-")).resolve()
        self.folder.chmod(0o755)
        demote = plain and os.geteuid() == 0
        for name in ("data", "open"):
            (self.folder / name).mkdir()
            if demote:
                os.chown(self.folder / name, PLAIN, PLAIN)
        (self.folder / "open").chmod(0o777)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.workers.engine.sandbox_lab", mode, str(PLAIN) if demote else "-", str(self.folder),
             str(landlock or 0)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "HEADRACE_DATA_DIR": str(self.folder / "data"), "SECRET_KEY": SECRET, "DATABASE_URL": f"postgresql://{SECRET}",
                 "BROKER_URL": f"redis://{SECRET}", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self.pid = self.process.pid

    def send(self, **request: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Json:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the worker ended"
        answer: Json = json.loads(line)
        return answer

    def run(self, source: str, **request: Any) -> Json:
        """{outputs: {port: record}} or {error, outcome}, with {lines, points, fractions}."""
        self.send(source=source, **request)
        return self.hear()

    def value(self, source: str, **request: Any) -> Any:
        """What the text gave at its only output, which must be JSON."""
        answer = self.run(source, **request)
        assert "outputs" in answer, answer
        (record,) = answer["outputs"].values()
        return record["inline"]

    def close(self) -> None:
        import shutil

        with contextlib.suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


# The worker's side


class Ear:
    """A listener that keeps what it hears, and is cancelled after a while."""

    def __init__(self, cancel_after: float | None):
        self.all: list[str] = []
        self.points: list[Any] = []
        self.fractions: list[float] = []
        self._until = time.monotonic() + cancel_after if cancel_after is not None else None

    def lines(self, stream: str, texts: list[str], level: str = "") -> None:
        self.all += [t[:500] for t in texts][: max(0, 2000 - len(self.all))]

    def progress(self, fraction: float, message: str) -> None:
        self.fractions.append(fraction)

    def metric(self, name: str, value: float, index: float) -> None:
        self.points.append([name, value, index])

    def cancelled(self) -> bool:
        return self._until is not None and time.monotonic() >= self._until


def _input(store: Store, kind: str, given: Any, folder: Path) -> Json:
    if kind == "Table":
        import pyarrow as pa

        from workers.sdk import context

        with context.local(folder):
            handle: Any = Table.from_arrow(pa.Table.from_pylist(given))
    else:
        handle = KINDS[kind](value=given)
    return artifacts.save("x", handle, store, {}, folder)


def answer_to(request: Json, runner: Sandboxed, mode: Any, landlock: int) -> Json:
    ear = Ear(request.get("cancel_after"))
    store = Store.from_environment()
    began = time.monotonic()
    if request.get("inspect"):
        return inspect(request["source"], mode=mode, machine=runner._machine).model_dump()
    try:
        outputs = request.get("outputs") or [{"name": "metrics", "kind": "Metrics", "required": True}]
        folder = Path(tempfile.mkdtemp(dir=os.environ["HEADRACE_DATA_DIR"]))
        inputs = {port: [_input(store, kind, value, folder)] for port, (kind, value) in request.get("inputs", {}).items()}
        claim = {"id": "0198c0de", "run": "r", "step": "s", "inputs": inputs, "parameters": request.get("parameters", {})}
        info = {"project": "p", "pipeline": "q"}
        limits = dataclasses.replace(Limits(wall_s=120, disk_left=0), **request.get("limits", {}))
        records = runner.run(claim, info, ear, request["source"], outputs, limits=limits)
        answer: Json = {"outputs": {r["port"]: r for r in records}}
    except BaseException as exc:
        outcome, error, retry = getattr(exc, "ended", None) or perform.error_of(exc)
        answer = {"outcome": outcome, "error": error, "retry": retry}
    return {**answer, "lines": ear.all, "points": ear.points, "fractions": ear.fractions, "seconds": time.monotonic() - began,
            "left": [p.name for p in (Path(os.environ["HEADRACE_DATA_DIR"]) / "scratch").rglob("sandbox-*")]}  # fmt: skip


def main() -> None:
    mode, uid, folder, landlock = sys.argv[1:]
    if uid != "-":
        kernel.unshare(kernel.NEWNS)
        open_ways([*map(str, python_folders()), str(WORKERS.parent), folder])
        os.setgroups([])
        os.setresgid(int(uid), int(uid), int(uid))
        os.setresuid(int(uid), int(uid), int(uid))
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # as every process has it that began as this account
        os.chdir(folder)
    machine = probe()
    if int(landlock):
        machine = dataclasses.replace(machine, landlock=int(landlock))
    if mode == "landlock":
        machine = dataclasses.replace(machine, bubblewrap=None)
    runner = Sandboxed(mode=mode, machine=machine)  # type: ignore[arg-type]  # one of the two words
    for line in sys.stdin:
        print(json.dumps(answer_to(json.loads(line), runner, mode, int(landlock))), flush=True)


if __name__ == "__main__":
    main()
