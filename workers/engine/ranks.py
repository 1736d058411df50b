"""A step on several devices: one process a device, started through torchrun, all running the same component (`spread=True`).

The step's own process (`isolate`) becomes their keeper: it gives each the request over a socket, passes on what the first one says, and
when one is lost ends them all and starts them again: they go on from the checkpoint in the step's scratch folder. torchrun's own elastic
restart is not used: on gloo it hung or failed four times of five.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workers.engine import perform
from workers.engine.wire import Reader, Remote, send
from workers.sdk import context
from workers.sdk.errors import Followed

if TYPE_CHECKING:
    from workers.sdk.component import Component

Json = dict[str, Any]
RELAUNCHES = 3
"""How often processes that were lost are started again within one attempt; after that the attempt is lost, and the ledger decides."""
POLITE_S = 0.3
"""From being told to stop to being killed; the worker ends this process soon after."""
LONGEST = 95
"""Bytes of a folder's path in which a socket may be named (108 in all)."""


def spreads(component: Component, devices: str | None) -> bool:
    return component.spread and devices is not None and "," in devices


def run(request: Json, remote: Remote) -> Json:
    """The answer of the first process: `result` or `error`, as `isolate` sends it to the worker."""
    count = len(request["devices"].split(","))
    remote.log(f"Training on {count} devices.", "info")
    for launch in range(RELAUNCHES + 1):
        if launch:
            remote.log("A process of the training was lost. All begin again, from the last checkpoint.", "warning")
        if (answer := _launch(request, remote, count)) is not None:
            return answer
    error = {"code": "process_lost", "message": f"A process of the training was lost {RELAUNCHES + 1} times.",
             "hint": "The log may say why; often one device has too little memory.", "traceback": ""}  # fmt: skip
    return {"type": "error", "outcome": "lost", "error": error, "retry": True}


class _Keeper:
    """What is known of the processes of one launch."""

    def __init__(self, request: Json, remote: Remote) -> None:
        self.request, self.remote = request, remote
        self.readers: dict[socket.socket, Reader] = {}
        self.ranks: dict[socket.socket, int] = {}
        self.pids: set[int] = set()
        self.answer: Json | None = None
        self.lost = False

    def hear(self, connection: socket.socket) -> None:
        """Read what has come."""
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if not data:  # it is gone; before it had said its last word, it is lost
            self.lost = self.lost or connection in self.ranks
            del self.readers[connection]
            connection.close()
            return
        for message in self.readers[connection].feed(data):
            match message["type"]:
                case "hello":
                    self.ranks[connection] = message["rank"]
                    self.pids.add(message["pid"])
                    send(connection, self.request)
                case "left":
                    self.pids.discard(message["pid"])
                    del self.ranks[connection]
                case "result" | "error":
                    self.answer = self.answer or message
                    del self.ranks[connection]
                case _ if self.ranks.get(connection) == 0:
                    self.remote.send(message)

    def tell(self, message: Json) -> None:
        for connection in self.readers:
            with contextlib.suppress(OSError):
                send(connection, message)

    def end(self) -> None:
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _launch(request: Json, remote: Remote, count: int) -> Json | None:
    """Start them and wait. None: one was lost."""
    # In the step's own folder, which goes with the step, however this process ends; the name of a socket may not be long.
    folder = perform.scratch_of(request["claim"])
    folder.mkdir(parents=True, exist_ok=True)
    if long := len(os.fsencode(folder)) > LONGEST:
        folder = Path(tempfile.mkdtemp(prefix="hr-ranks-"))
    path = str(folder / "ranks")
    Path(path).unlink(missing_ok=True)
    keeper = _Keeper(request, remote)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(count)
        torchrun = subprocess.Popen(
            [
                sys.executable, "-m", "torch.distributed.run", "--standalone", "--nnodes=1", f"--nproc-per-node={count}",
                "--max-restarts=0", "-m", "workers.engine.ranks", path,
            ],
            stdin=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")},
        )  # fmt: skip
        stopping = 0.0
        try:
            while torchrun.poll() is None and not keeper.lost and keeper.answer is None:
                ready, _, _ = select.select([listener, *keeper.readers], [], [], 0.1)
                for one in ready:
                    if one is listener:
                        connection, _ = listener.accept()
                        keeper.readers[connection] = Reader()
                    else:
                        keeper.hear(one)
                if not stopping and remote.cancelled():
                    stopping = time.monotonic()
                    keeper.tell({"type": "cancel"})
                elif stopping and time.monotonic() - stopping > POLITE_S:
                    break
        finally:
            keeper.end()
            torchrun.kill()
            torchrun.wait()
            for connection in keeper.readers:
                connection.close()
            Path(path).unlink(missing_ok=True)
            if long:
                shutil.rmtree(folder, ignore_errors=True)
    if keeper.answer is None and stopping:
        error = {"code": "cancelled", "message": "Cancelled.", "hint": "", "traceback": ""}
        return {"type": "error", "outcome": "cancelled", "error": error, "retry": False}
    return keeper.answer


# One of the processes


class _Quiet:
    """The reporter of all but the first: they hear, and say nothing."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def log(self, text: str, level: str) -> None: ...
    def progress(self, fraction: float, message: str) -> None: ...
    def metric(self, name: str, value: float, index: float) -> None: ...

    def cancelled(self) -> bool:
        return self._remote.cancelled()


def _rank(path: str) -> None:
    import torch
    import torch.distributed as dist

    from workers.engine.isolate import die_with_parent, visible

    die_with_parent(os.getppid())
    rank, world, local = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    send(connection, {"type": "hello", "rank": rank, "pid": os.getpid()})
    reader, requests = Reader(), list[Json]()
    while not requests:
        requests = reader.feed(connection.recv(65536))
    request = requests[0]
    remote = Remote(connection)
    report: context.Reporter = remote if rank == 0 else _Quiet(remote)
    device = visible(request["devices"], report)
    device = f"cuda:{local}" if device == "cuda" else device
    claim, info = request["claim"], request["info"]

    def call(component: Component, inputs: Any, parameters: Any) -> Any:
        step = context.current()
        step.rank, step.world = rank, world
        return component.call(inputs, parameters)

    try:
        if device.startswith("cuda"):
            torch.cuda.set_device(local)
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
        outputs = perform.perform(claim, info, report, lambda: perform.client_for(claim, info, request["token"]), device, call)
        remote.send({"type": "result", "outputs": outputs} if rank == 0 else {"type": "left", "pid": os.getpid()})
        code = 0
    except Followed:
        remote.send({"type": "left", "pid": os.getpid()})
        code = 0
    except BaseException as exc:
        if _of_a_lost_one(exc):
            os._exit(1)
        outcome, error, retry = perform.error_of(exc)
        remote.send({"type": "error", "outcome": outcome, "error": error, "retry": retry})
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)


def _of_a_lost_one(exc: BaseException) -> bool:
    """Whether this is only what a process meets when another is gone: the connection to it broke."""
    text = str(exc)
    return isinstance(exc, RuntimeError) and any(
        word in text for word in ("Connection closed by peer", "Connection reset", "gloo", "NCCL", "Broken pipe")
    )


if __name__ == "__main__":
    from workers.engine import ranks

    ranks._rank(sys.argv[1])
