"""The worker's ear at a sandbox: messages, output, limits that need watching, and the end.

The other side is hostile: it may say anything, as fast as it likes. What it says is bounded before it is parsed, looked at before
it is used, and never more than bounded words reach the log. A step that floods waits for us, not we for it.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import socket
import subprocess
import time
from typing import Any, Protocol

from workers.engine import memory, wire
from workers.engine.isolate import Ended
from workers.engine.perform import TimedOut
from workers.engine.report import Splitter
from workers.engine.sandbox.limits import Limits
from workers.engine.sandbox.watch import Watch
from workers.sdk.errors import Cancelled

Json = dict[str, Any]
LEVELS = ("debug", "info", "warning", "error", "critical")
LOOK_S = 0.1
"""Between two looks at memory, processes and disk."""
_BAD = "Code steps talk through the kit (context.log, context.metric, …) and give what the function returns."


class Listener(Protocol):
    """What `workers.engine.report.Report` is to a step: where its words go, and whether it must stop."""

    def lines(self, stream: str, texts: list[str], level: str = "") -> None: ...
    def progress(self, fraction: float, message: str) -> None: ...
    def metric(self, name: str, value: float, index: float) -> None: ...
    def cancelled(self) -> bool: ...


class Follow:
    """Follows one started sandbox to its end."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, listener: Listener, limits: Limits, watch: Watch):
        self._process, self._control, self._listener, self._limits, self._watch = process, control, listener, limits, watch
        assert process.stdout is not None and process.stderr is not None
        self._pipes = {process.stdout.fileno(): Splitter("stdout"), process.stderr.fileno(): Splitter("stderr")}
        self._reader = wire.Reader(limits.message)
        self._said = self._heard = 0
        self._kills = memory.kills()
        self._budget, self._filled = float(limits.messages_per_s), time.monotonic()
        self._result: Json | None = None
        self._stopping = 0.0
        self._broken: Ended | None = None

    def to_end(self, deadline: float) -> Json:
        """The `result` message. Raises Ended, Cancelled or TimedOut; afterwards no process of the sandbox is left."""
        try:
            timed_out = self._listen(deadline)
        finally:
            self.kill()
        if self._broken is not None:
            raise self._broken
        if self._result is not None and self._result["type"] == "result":
            return self._result
        if timed_out:
            raise TimedOut("The step ran longer than its time limit.")
        if self._stopping:
            raise Cancelled
        if self._result is not None:
            raise self._told(self._result)
        raise self._ended()

    def kill(self) -> None:
        """End the sandbox with all its processes, and wait until they are gone."""
        if self._process.poll() is None:
            self._watch.end(self._process)
        self._process.wait()

    def _listen(self, deadline: float) -> bool:
        poll = select.poll()
        for fd in self._pipes:
            os.set_blocking(fd, False)
            poll.register(fd, select.POLLIN)
        self._control.setblocking(False)
        control = self._control.fileno()
        poll.register(control, select.POLLIN)
        hearing, heard_all, looked, timed_out = True, False, 0.0, False
        while self._process.poll() is None and self._broken is None:
            now = time.monotonic()
            self._budget = min(float(self._limits.messages_per_s), self._budget + (now - self._filled) * self._limits.messages_per_s)
            self._filled = now
            if not heard_all and hearing != (want := self._budget > 0):
                (poll.register(control, select.POLLIN) if want else poll.unregister(control))
                hearing = want
            for fd, _ in poll.poll(50):
                if fd in self._pipes:
                    if self._output(fd) == b"":
                        poll.unregister(fd)
                elif self._messages() == b"":
                    poll.unregister(fd)
                    heard_all = True
            if now - looked >= LOOK_S and self._broken is None:
                self._broken, looked = self._watch.look(), now
            if not self._stopping and (self._listener.cancelled() or now >= deadline):
                self._stopping, timed_out = now, not self._listener.cancelled()
                with contextlib.suppress(OSError):
                    wire.send(self._control, {"type": "cancel"})
            if self._stopping and now - self._stopping >= self._limits.grace_s:
                break
            if self._result is not None and self._watch.lingers():
                break  # it has answered and does not go
        self.kill()
        while self._broken is None and self._messages():
            pass
        for fd in self._pipes:
            while self._broken is None and self._output(fd):
                pass
            self._listener.lines(self._pipes[fd].stream, self._pipes[fd].end())
        return timed_out

    def _output(self, fd: int) -> bytes | None:
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return None
        self._said += len(data)
        if self._said > self._limits.output:
            self._broken = Ended("failed", "too_much_output", f"The step wrote more than {self._limits.output // 1024:,} KiB of output.",
                                 "Print less: a log is for people to read. Return data as a table.", retry=False)  # fmt: skip
            return data
        self._listener.lines(self._pipes[fd].stream, self._pipes[fd].feed(data))
        return data

    def _messages(self) -> bytes | None:
        try:
            data = self._control.recv(65536)
        except BlockingIOError:
            return None
        except OSError:
            return b""
        self._heard += len(data)
        try:
            if self._heard > self._limits.output + self._limits.message:
                raise wire.TooLong("more messages than a step may send")
            for message in self._reader.feed(data):
                self._budget -= 1
                self._hear(message)
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError, AttributeError) as exc:
            self._broken = Ended("failed", "bad_message", f"The step's process sent something that is no message: {str(exc)[:200]}.", _BAD,
                                 retry=False)  # fmt: skip
        return data

    def _hear(self, message: Any) -> None:
        if not isinstance(message, dict):
            raise TypeError("a message is an object")
        if self._result is not None:
            return  # it has said how it ended; whoever speaks now is not heard
        match message["type"]:
            case "log":
                lines, level = message["lines"], message["level"]
                if not (isinstance(lines, list) and all(isinstance(x, str) for x in lines)):
                    raise TypeError("lines are a list of text")
                self._listener.lines("log", lines, level if level in LEVELS else "info")
            case "progress":
                fraction, text = _number(message["fraction"]), message["message"]
                if not isinstance(text, str):
                    raise TypeError("a progress message is text")
                self._listener.progress(min(1.0, max(0.0, fraction)) if math.isfinite(fraction) else 0.0, text[:500])
            case "metric":
                if not isinstance(message["name"], str):
                    raise TypeError("a metric's name is text")
                value = message["value"]
                self._listener.metric(message["name"][:120], math.nan if value is None else _number(value), _number(message["index"]))
            case "result" | "error":
                self._result = message
            case _:
                raise ValueError("unknown type")

    def _told(self, message: Json) -> Ended:
        """The error that the step's process tells of itself. It may fail; more it cannot decide."""
        error = message.get("error")
        said = error if isinstance(error, dict) else {}
        text = {
            k: v[:n] if isinstance(v := said.get(k), str) else ""
            for k, n in (("code", 40), ("message", 2000), ("hint", 2000), ("traceback", 20_000))
        }
        ended = Ended("failed", text["code"] if text["code"].isidentifier() else "crash", text["message"] or "The step failed.",
                      text["hint"], retry=message.get("retry") is True, traceback=text["traceback"])  # fmt: skip
        if message.get("outcome") == "cancelled":
            ended = Ended("failed", "stopped", "The step stopped itself as cancelled, but the run was not cancelled.", retry=False)
        elif isinstance(field := said.get("field"), str) and field.isidentifier():
            ended.ended[1]["field"] = field[:120]
        return ended

    def _ended(self) -> Ended:
        code = self._process.returncode
        number = -code if code < 0 else code - 128
        if number == signal.SIGXCPU or (number == signal.SIGKILL and self._watch.processor_time_is_up()):
            return Ended("failed", "cpu_time", f"The step used more than {self._limits.cpu_s:,} seconds of processor time.",
                         "Give it less to do, or raise the limit.", retry=False)  # fmt: skip
        if number == signal.SIGSYS:
            return Ended("failed", "forbidden_call", "The step made a system call that code steps may not make.", retry=False)
        if memory.killed(-number, self._kills, self._watch.peak):
            error = memory.told(limit=self._limits.memory, peak=self._watch.peak)
            return Ended("failed", error["code"], error["message"], error["hint"], retry=False)
        if number in set(signal.Signals):
            hint = "Often this is too little memory, or a library that failed below Python; the log may say more."
            return Ended("failed", "process_crashed", f"The step's process was ended by {signal.Signals(number).name}.", hint, retry=False)
        if code == 70:
            return Ended(
                "failed", "no_sandbox", "The sandbox could not be entered, so the step was not run.", "The log says why.", retry=True
            )
        return Ended("failed", "exit", f"The step ended its process (exit {code}) and gave nothing.", retry=False)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a number is needed")
    return float(value)
