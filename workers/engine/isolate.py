"""Steps in a process of their own: killable at any moment, and clean of whatever ran before (all torch steps, all GPU steps).

`python -m workers.engine.isolate` is a small server that a worker process starts when it first needs one. It has the heavy
libraries imported but has never touched CUDA and runs nothing itself: each step is a fork of it, ready in milliseconds where a
fresh interpreter would import for seconds. It ends itself when it has been idle for a while.

Kinship is the clean-up: the kernel kills the server when its worker dies, and the step when its server dies. The step's process gets
no database, broker or secret key: it speaks JSON with its worker over a socket, and the worker alone holds the ledger.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import logging
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workers.engine import memory, perform, ranks
from workers.engine.report import Report, Splitter
from workers.engine.wire import Logging, Reader, Remote, send
from workers.sdk import context
from workers.sdk.errors import Cancelled

if TYPE_CHECKING:
    from workers.sdk.component import Component

Json = dict[str, Any]
IDLE_S = float(os.environ.get("HEADRACE_ISOLATE_IDLE_S", "300"))
PRELOAD = ("numpy", "pyarrow.parquet", "torch")
"""What takes seconds to import and touches no device when imported."""
POLITE_S = 0.35
"""From being told to stop to SIGTERM, and from there to SIGKILL: with the heartbeat within two seconds in all."""
HIDDEN = ("DATABASE_URL", "BROKER_URL", "SECRET_KEY")


class Ended(Exception):
    """The step's process ended without a result. `ended` is (outcome, error, retry) as `perform.error_of` gives."""

    def __init__(self, outcome: str, code: str, message: str, hint: str = "", *, retry: bool = True, traceback: str = ""):
        super().__init__(message)
        self.ended = (outcome, {"code": code, "message": message, "hint": hint, "traceback": traceback}, retry)


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when `parent` dies (Linux; elsewhere the closing of the socket tells)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


# The worker's side


class Isolated:
    """Runs steps through a server process, which is started when there is none."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._reader = Reader()
        self.peak: int | None = None
        """Of the last step: the most memory that its process held, in bytes."""

    def start(self) -> None:
        """Start the server (it imports while the worker goes on)."""
        if self._server is not None and self._server.poll() is None:
            return
        self.close()
        ours, theirs = socket.socketpair()
        environment = {k: v for k, v in os.environ.items() if k not in HIDDEN}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "workers.engine.isolate", str(theirs.fileno()), str(os.getpid())],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        theirs.close()
        self._socket, self._reader = ours, Reader()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def run(self, claim: Json, info: Json, report: Report, devices: str | None, token: str, deadline: float | None) -> list[Json]:
        """Run one step in a fresh process and return its output records. `devices` are those it may see, as CUDA names them: empty where it
        would like one and there is none, None where it does not ask. Raises Ended, Cancelled or TimedOut."""
        self.start()
        ours, theirs = socket.socketpair()
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        try:
            request = {"claim": claim, "info": info, "token": token, "devices": devices}
            assert self._socket is not None
            try:
                send(self._socket, request, (theirs.fileno(), out_write, err_write))
            except OSError:  # it ended itself just now, having been idle
                self.close()
                self.start()
                send(self._socket, request, (theirs.fileno(), out_write, err_write))
            theirs.close()
            os.close(out_write)
            os.close(err_write)
            out_write = err_write = -1
            return self._follow(ours, {out_read: Splitter("stdout"), err_read: Splitter("stderr")}, report, deadline)
        finally:
            ours.close()
            theirs.close()
            for fd in (out_read, err_read, out_write, err_write):
                if fd >= 0:
                    os.close(fd)

    def _follow(self, control: socket.socket, pipes: dict[int, Splitter], report: Report, deadline: float | None) -> list[Json]:
        assert self._socket is not None
        server = self._socket
        for fd in pipes:
            os.set_blocking(fd, False)
        control.setblocking(False)
        server.setblocking(False)
        poll = select.poll()
        for fd in (*pipes, control.fileno(), server.fileno()):
            poll.register(fd, select.POLLIN)
        reader = Reader()
        pid, status, result = 0, None, None
        stopping, timed_out, level, kills = 0.0, False, 0, memory.kills()

        def hear(messages: list[Json]) -> None:
            nonlocal result
            for message in messages:
                match message["type"]:
                    case "log":
                        report.lines("log", message["lines"], message["level"])
                    case "progress":
                        report.progress(message["fraction"], message["message"])
                    case "metric":
                        report.metric(message["name"], message["value"] if message["value"] is not None else float("nan"), message["index"])
                    case _:
                        result = message

        while status is None:
            for fd, _ in poll.poll(100):
                if fd in pipes:
                    if (data := _read(fd)) == b"":
                        poll.unregister(fd)
                    elif data:
                        report.lines(pipes[fd].stream, pipes[fd].feed(data))
                elif fd == control.fileno():
                    if (data := _receive(control)) == b"":
                        poll.unregister(fd)
                    elif data:
                        hear(reader.feed(data))
                else:
                    data = _receive(server)
                    if data == b"":
                        status = -signal.SIGKILL  # the server died, and the step with it
                    for message in self._reader.feed(data or b""):
                        pid = message["pid"]
                        status = message.get("status", status)
                        self.peak = message.get("peak", self.peak)
            now = time.monotonic()
            if not stopping and (report.stop.is_set() or (deadline is not None and now >= deadline)):
                stopping, timed_out = now, not report.stop.is_set()
                with contextlib.suppress(OSError):
                    send(control, {"type": "cancel"})
            if stopping and pid and status is None:
                wanted = int((now - stopping) / POLITE_S)
                if wanted >= 1 and level < 1:
                    level = 1
                    _kill(pid, signal.SIGTERM)
                elif wanted >= 2 and level < 2:
                    level = 2
                    _kill(pid, signal.SIGKILL)
        server.setblocking(True)
        if pid:
            _kill(pid, signal.SIGKILL)  # what the step left in its process group
        with contextlib.suppress(BlockingIOError, OSError):
            while data := control.recv(65536):
                hear(reader.feed(data))
        for fd, splitter in pipes.items():
            while data := _read(fd):
                report.lines(splitter.stream, splitter.feed(data))
            report.lines(splitter.stream, splitter.end())
        if result is not None and result["type"] == "result":
            outputs: list[Json] = result["outputs"]
            return outputs
        if timed_out:
            raise perform.TimedOut("The step ran longer than its time limit.")
        if stopping:
            raise Cancelled
        if result is not None:
            error = Ended("failed", "", "")
            error.ended = (result["outcome"], result["error"], result["retry"])
            raise error
        raise _ended(status or 0, kills, self.peak)


def _ended(status: int, kills: int, peak: int | None) -> Ended:
    if memory.killed(status, kills, peak):
        error = memory.told(peak=peak)
        return Ended("failed", error["code"], error["message"], f"The system ended it so that the machine could go on. {error['hint']}")
    if status in (-signal.SIGKILL, -signal.SIGTERM):
        hint = "It was killed from outside: often this is the system's answer to too little memory."
        return Ended("lost", "process_lost", f"The step's process was ended by {signal.Signals(-status).name}.", hint)
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else str(-status)
        return Ended(
            "failed",
            "process_crashed",
            f"The step's process crashed ({name}).",
            "A library it uses failed below Python; the log may say more.",
        )
    return Ended("failed", "exit", f"The step ended its process (exit {status}).")


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _read(fd: int) -> bytes | None:
    """None: nothing now; empty: closed."""
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return None


def _receive(connection: socket.socket) -> bytes | None:
    try:
        return connection.recv(65536)
    except BlockingIOError:
        return None
    except OSError:
        return b""


# The step's side


def visible(devices: str | None, report: context.Reporter) -> str:
    """What the step computes on. It sees its own devices and no others: set before anything here has touched CUDA."""
    os.environ["CUDA_VISIBLE_DEVICES"] = devices or ""
    if devices is None:
        return "cpu"
    with contextlib.suppress(ImportError):
        import torch

        if torch.cuda.is_available():
            return "cuda"
    report.log("There is no GPU on this worker: running on the CPU.", "info")
    return "cpu"


def _step(request: Json, control: socket.socket) -> None:
    """The life of a forked process. Never returns."""
    remote = Remote(control)
    logging.root.handlers[:] = [Logging(remote)]
    logging.root.setLevel(logging.INFO)
    claim, info, token = request["claim"], request["info"], request["token"]

    def call(component: Component, inputs: Any, parameters: Any) -> Any:
        return component.call(inputs, parameters)

    code = 0
    try:
        if ranks.spreads(perform.component_of(claim), request["devices"]):
            answer: Json = ranks.run(request, remote)
        else:
            device = visible(request["devices"], remote)
            outputs = perform.perform(claim, info, remote, lambda: perform.client_for(claim, info, token), device, call)
            answer = {"type": "result", "outputs": outputs}
    except BaseException as exc:
        outcome, error, retry = perform.error_of(exc)
        answer, code = {"type": "error", "outcome": outcome, "error": error, "retry": retry}, 1
    with contextlib.suppress(Exception):
        import multiprocessing.util

        multiprocessing.util._exit_function()  # type: ignore[attr-defined]  # what a normal exit runs: ends data-loading processes
    ctypes.CDLL(None).fflush(None)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    with contextlib.suppress(OSError):
        remote.send(answer)
    os._exit(code)


def _fork(request: Json, fds: list[int], server: socket.socket) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        for fd in fds:
            os.close(fd)
        return pid
    try:
        os.setsid()
        die_with_parent(parent)
        server.close()
        control = socket.socket(fileno=fds[0])
        os.dup2(fds[1], 1)
        os.dup2(fds[2], 2)
        os.close(fds[1])
        os.close(fds[2])
        # A fork shares the state of its parent's random numbers: every step would draw the same "random" ones.
        random.seed()
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()
        _step(request, control)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(70)


def serve(connection: socket.socket, preload: Callable[[], None]) -> None:
    """One step at a time: fork it, wait for it, tell how it ended."""
    preload()
    connection.settimeout(IDLE_S)
    while True:
        try:
            data, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(3 * 4))
        except TimeoutError:
            return
        if not data:
            return
        fds = array.array("i")
        for _, _, packed in ancillary:
            fds.frombytes(packed[: len(packed) - len(packed) % fds.itemsize])
        reader = Reader()
        requests = reader.feed(data)
        while not requests:
            requests = reader.feed(connection.recv(65536))
        pid = _fork(requests[0], list(fds), connection)
        send(connection, {"pid": pid})
        _, status, used = os.wait4(pid, 0)
        send(connection, {"pid": pid, "status": os.waitstatus_to_exitcode(status), "peak": used.ru_maxrss * 1024})


def _preload() -> None:
    import importlib

    from workers import catalog

    catalog.load()
    for name in PRELOAD:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def main() -> None:
    # As `-m` this module is `__main__`; the classes that the step's code meets must be those of the real module.
    from workers.engine import isolate

    isolate.die_with_parent(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the worker's to handle
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - for the life of the process
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - as above
    isolate.serve(socket.socket(fileno=int(sys.argv[1])), isolate._preload)


if __name__ == "__main__":
    main()
