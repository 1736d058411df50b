"""Run a step of user-written code: the worker's side. Another way of starting an isolated process, with the engine's messages, records
and errors.

The worker lays the inputs out, starts the process under the limits, listens, and takes over what it left. The process has no token,
no address and no descriptor but its socket.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workers.engine import perform, wire
from workers.engine.sandbox.box import Box
from workers.engine.sandbox.follow import Follow, Listener
from workers.engine.sandbox.limits import Limits
from workers.engine.sandbox.machine import Machine, Mode, probe
from workers.engine.sandbox.outputs import Taker
from workers.engine.sandbox.watch import Watch
from workers.sdk.errors import StepError
from workers.sdk.kinds import KINDS, Artifact
from workers.sdk.store import TREE, Store

Json = dict[str, Any]
SOURCE = 256 * 1024
"""Bytes of a step's code."""


class Sandboxed:
    """Runs steps of user-written code. One for a worker; each step gets a sandbox of its own."""

    def __init__(self, *, mode: Mode | None = None, machine: Machine | None = None):
        self._mode, self._machine = mode, machine
        self.peak: int | None = None
        """Of the last step, in bytes."""

    def run(
        self,
        claim: Json,
        info: Json,
        listener: Listener,
        source: str,
        outputs: list[Mapping[str, Any]],
        *,
        limits: Limits | None = None,
        deadline: float | None = None,
        store: Store | None = None,
        kinds: Mapping[str, type[Artifact]] = KINDS,
    ) -> list[Json]:
        """Run `source` on the claim's inputs and parameters; the records of its outputs, as `Isolated.run` gives them. `outputs` are
        the ports of the spec that `inspect` gave for this very text. `deadline` is a time of `time.monotonic`. Raises NoSandbox, Ended,
        Cancelled, TimedOut and StepError (an output that was not accepted)."""
        limits = limits or Limits()
        store = store or Store.from_environment()
        machine = self._machine or probe()
        mode = machine.choose(self._mode)
        _fits(source)
        records = [r for wires in claim["inputs"].values() for r in wires]
        box = Box(perform.scratch_of(claim) / f"sandbox-{uuid.uuid4().hex[:12]}", machine, mode, limits)
        try:
            box.make()
            box.bring(_blobs(records, store), store)
            inputs, scratch = box.inside
            told = {k: claim[k] for k in ("id", "run", "step", "inputs", "parameters")}
            about = {k: info[k] for k in ("project", "pipeline")}
            request = {"do": "run", "source": source, "claim": told, "info": about, "inputs": inputs, "scratch": scratch}  # fmt: skip
            until = min(deadline if deadline is not None else float("inf"), time.monotonic() + limits.wall_s)
            answer = start(box, request, listener, until)
            return Taker(box, outputs, records, kinds, store).take(answer.get("outputs"))
        finally:
            self.peak = box.peak
            box.remove()


def start(box: Box, request: Json, listener: Listener, until: float) -> Json:
    """Start `inside` in the box, give it the request, follow it to its end; its `result` message. Raises as `Follow.to_end`."""
    ours, theirs = socket.socketpair()
    with contextlib.closing(ours), contextlib.closing(theirs):
        command, environment = box.command(theirs.fileno())
        process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
            cwd="/", start_new_session=True,
        )  # fmt: skip
        theirs.close()
        follow = Follow(process, ours, listener, box.limits, Watch(box, process.pid))
        try:
            ours.settimeout(30)  # what does not listen in that time never will
            with contextlib.suppress(OSError):  # it ended before it heard: its end tells more than this does
                wire.send(ours, request)
            return follow.to_end(until)
        finally:
            follow.kill()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


def _blobs(records: Iterable[Json], store: Store) -> Iterable[str]:
    """The digests of all bytes that the inputs consist of: of a folder its files, of a list of images its pictures."""
    for record in records:
        if record["inline"] is not None:
            continue
        yield record["digest"]
        if record["media_type"] == TREE:
            yield from (f["digest"] for f in store.files(record["digest"]))
        elif record["kind"] == "Images":
            import pyarrow.compute as pc
            import pyarrow.parquet as pq

            yield from pc.unique(pq.read_table(store.fetch(record["digest"]), columns=["digest"])["digest"]).drop_null().to_pylist()


def _fits(source: str) -> None:
    if len(source.encode("utf-8", "surrogatepass")) > SOURCE:
        raise StepError(f"The code is longer than {SOURCE // 1024} KiB.", hint="Put data into a data set, and a library into a plug-in.")


def place() -> Path:
    """Where sandboxes that belong to no step run have their folders."""
    return Path(os.environ.get("HEADRACE_DATA_DIR", ".headrace")).absolute() / "scratch"
