"""What a step says while it runs: its output at file-descriptor level, its logging, progress and metrics.

Everything is gathered in memory and goes to the ledger about four times a second from a thread of its own, together
with the heartbeat, and from there to the pages that watch. Nothing here blocks the step: when the database is away, what does not
fit the buffer is counted and dropped. Known secrets are blacked out before anything leaves the process.
"""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import json
import logging
import math
import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

from workers.engine.ledger import Ledger
from workers.engine.live import Live
from workers.engine.trouble import Trouble

log = logging.getLogger(__name__)
Json = dict[str, Any]

FLUSH_S = 0.25
BEAT_S = float(os.environ.get("HEADRACE_BEAT_S", "0.7"))
"""Below a second, so that a cancelled step hears of it, and is ended if it does not listen, within two."""
PENDING_LINES = 5_000
PENDING_POINTS = 20_000
ATTEMPT_LINES = 100_000
"""Lines kept of one attempt; more is no log that anyone reads."""
LINE_LENGTH = 4_000
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
_OURS = ("celery", "kombu", "billiard", "amqp", "redis", "workers.engine", "workers.celery")


class Redactor:
    """Blacks out secrets wherever they appear in a line."""

    def __init__(self, secrets: Iterable[str] = ()):
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Their lines and their spelling in JSON and Python count too: a log is made of lines."""
        for secret in secrets:
            forms = (secret, *secret.splitlines(), repr(secret)[1:-1], json.dumps(secret)[1:-1],
                     json.dumps(secret, ensure_ascii=False)[1:-1])  # fmt: skip
            self._secrets.update(s for s in forms if len(s) >= 8)
        self._pattern = re.compile("|".join(map(re.escape, sorted(self._secrets, key=len, reverse=True)))) if self._secrets else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub("•••", text) if self._pattern is not None else text


class Flag:
    """What an `Event` tells, for those who only look: one for each step, and an `Event` is a lock and a list more."""

    __slots__ = ("_set",)

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set


class Report:
    """One attempt's words and signs of life (a `workers.sdk.context.Reporter`)."""

    def __init__(self, claim: Json, ledger: Ledger, live: Live | None, redact: Redactor):
        self.run, self.step_run, self.step, self.attempt = claim["run"], claim["id"], claim["step"], claim["attempt"]
        self.stop = Flag()
        """Set when the run is cancelled, or the step is no longer this attempt's."""
        self.lost = False
        self.stopped_at = 0.0
        self._ledger, self._live, self._redact = ledger, live, redact
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._lines: list[tuple[datetime, str, str, str]] = []
        self._points: list[tuple[datetime, str, float, float | None]] = []
        self._progress, self._message, self._moved = 0.0, "", False
        self._dropped = self._dropped_points = self._total = self._batch = 0
        self.beaten_at = time.monotonic()

    # What the step calls

    def log(self, text: str, level: str = "info") -> None:
        self.lines("log", text.splitlines() or [""], level)

    def progress(self, fraction: float, message: str) -> None:
        self._progress, self._message, self._moved = float(fraction) if math.isfinite(fraction) else 0.0, self._redact(clean(message)), True

    def metric(self, name: str, value: float, index: float) -> None:
        if not math.isfinite(index):
            return
        with self._lock:
            if len(self._points) >= PENDING_POINTS:
                self._dropped_points += 1
            else:
                self._points.append(
                    (datetime.now(UTC), self._redact(clean(name))[:120], float(index), float(value) if math.isfinite(value) else None)
                )

    def cancelled(self) -> bool:
        return self.stop.is_set()

    # What the engine calls

    def lines(self, stream: str, texts: Iterable[str], level: str = "") -> None:
        at = datetime.now(UTC)
        ready = [(at, stream, level[:10], self._redact(clean(t))) for t in texts]
        with self._lock:
            room = max(0, min(PENDING_LINES - len(self._lines), ATTEMPT_LINES - self._total))
            self._lines += ready[:room]
            self._total += min(room, len(ready))
            self._dropped += max(0, len(ready) - room)

    @property
    def pending(self) -> bool:
        return bool(self._lines or self._points or self._dropped or self._dropped_points or self._moved)

    def beat(self, final: bool = False) -> None:
        """Send what is pending and a sign of life. With `final`, nothing when nothing is pending."""
        with self._sending:
            with self._lock:
                if final and not self._lines and not self._points and not self._dropped and not self._dropped_points:
                    return
                lines, self._lines = self._lines, []
                points, self._points = self._points, []
                moved, self._moved = self._moved, False
                full = self._total >= ATTEMPT_LINES and not final
                dropped, self._dropped = (0, self._dropped) if full else (self._dropped, 0)
                if dropped:
                    lines.append((datetime.now(UTC), "log", "warning", f"… {dropped} lines dropped here: more came than is kept."))
                if self._dropped_points:
                    lines.append(
                        (
                            datetime.now(UTC),
                            "log",
                            "warning",
                            f"… {self._dropped_points} metric points dropped here: more came than can be kept up with.",
                        )
                    )
                    self._dropped_points = 0
                self._batch += 1
            answer = self._ledger.beat(self.step_run, self.attempt, self._progress, self._message, self._batch, lines, points)
            self.beaten_at = time.monotonic()
        if not answer["ok"] or answer["cancel"]:
            self.lost = not answer["ok"]
            if not self.stop.is_set():
                self.stopped_at = time.monotonic()
                self.stop.set()
        if self._live is None or not answer["ok"]:
            return
        events: list[Json] = []
        common = {"seq": 0, "run": self.run}
        if lines and len(answer["lines"]) == len(lines):
            events.append({"type": "lines_logged", **common, "lines": [
                {"id": i, "step": self.step, "attempt": self.attempt, "at": at.isoformat(), "stream": stream, "level": level, "text": text}
                for i, (at, stream, level, text) in zip(answer["lines"], lines, strict=True)
            ]})  # fmt: skip
        if points and len(answer["points"]) == len(points):
            events.append({"type": "metrics_logged", **common, "points": [
                {"id": i, "step": self.step, "attempt": self.attempt, "name": name, "index": index, "value": value, "at": at.isoformat()}
                for i, (at, name, index, value) in zip(answer["points"], points, strict=True)
            ]})  # fmt: skip
        if moved:
            events.append({"type": "step_run_changed", **common, "step_run": self.step_run, "step": self.step, "status": "running",
                           "attempt": self.attempt, "progress": self._progress, "message": self._message})  # fmt: skip
        if events:
            self._live.events(self.run, events)


def clean(text: str) -> str:
    """One line as it is kept: what a progress bar drew over is gone, so are colours and NUL; too long is cut."""
    if "\r" in text:
        text = text.rstrip("\r").rsplit("\r", 1)[-1]
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    text = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode() if "\0" in text or not text.isascii() else text
    if len(text) > LINE_LENGTH:
        return f"{text[:LINE_LENGTH]}… ({len(text) - LINE_LENGTH} more characters)"
    return text


class Splitter:
    """Bytes of one stream to whole lines."""

    def __init__(self, stream: str):
        self.stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._fed = False

    def feed(self, data: bytes) -> list[str]:
        self._fed = True
        *whole, self._rest = (self._rest + self._decoder.decode(data)).split("\n")
        if len(self._rest) > 64 * 1024:  # a progress bar, or a line nobody ends
            if "\r" in self._rest:
                self._rest = self._rest.rstrip("\r").rsplit("\r", 1)[-1]
            if len(self._rest) > 64 * 1024:
                whole.append(self._rest)
                self._rest = ""
        return whole

    def end(self) -> list[str]:
        if not self._fed:
            return []
        self._fed = False
        rest = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        self._decoder.reset()
        return [rest] if rest else []


LINE_BUFFERED = 1
"""`_IOLBF` of stdio.h."""


class Capture:
    """Descriptors 1 and 2 of this process as pipes that we read: C libraries and child processes are heard too.

    The pipes stay for the life of the process (a step costs two empty reads, not a dozen system calls); after a step that
    left a child process running they are replaced, so that what the child still says reaches no other step.
    """

    def __init__(self) -> None:
        self.report: Report | None = None
        self._lock = threading.Lock()
        self._pipes: dict[int, Splitter] = {}
        self._saved: list[int] = []
        self._epoll = select.epoll()
        self._libc = ctypes.CDLL(None)

    def install(self) -> TextIO:
        """Take the descriptors over; returns the old standard error, for the worker's own words."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        self._saved = [os.dup(1), os.dup(2)]
        self._open()
        with contextlib.suppress(ValueError):  # another C library calls it otherwise; its words then come when they are flushed
            # Line by line, as Python's: into a pipe the C library would hold them back until the step ends.
            self._libc.setvbuf(ctypes.c_void_p.in_dll(self._libc, "stdout"), None, LINE_BUFFERED, 0)
        sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - for the life of the process
        sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - as above
        sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc]  # some libraries write to these
        threading.Thread(target=self._loop, name="capture", daemon=True).start()
        return open(self._saved[1], "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)

    def _open(self) -> None:
        for target, stream in ((1, "stdout"), (2, "stderr")):
            read, write = os.pipe()
            os.set_blocking(read, False)
            os.dup2(write, target, inheritable=True)
            os.close(write)
            self._pipes[read] = Splitter(stream)
            self._epoll.register(read, select.EPOLLIN)

    def attach(self, report: Report) -> None:
        with self._lock:
            self.report = report

    def detach(self) -> None:
        """All that was said until now belongs to the step that ends here."""
        # C first: what Python still holds may lack its line's end, and the C library's words would be glued to it.
        self._libc.fflush(None)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        with self._lock:
            for read, _ in self._epoll.poll(0, 2):
                self._drain(read)
            for splitter in self._pipes.values():
                self._say(splitter, splitter.end())
            self.report = None
            try:
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            for read in list(self._pipes):
                self._epoll.unregister(read)
                os.close(read)
                del self._pipes[read]
            self._open()

    def _loop(self) -> None:
        while True:
            for read, _ in self._epoll.poll():
                with self._lock:
                    if read in self._pipes:
                        self._drain(read, rounds=16)

    def _drain(self, read: int, rounds: int = 1024) -> None:
        for _ in range(rounds):
            try:
                data = os.read(read, 65536)
            except BlockingIOError:
                return
            if not data:
                return
            self._say(self._pipes[read], self._pipes[read].feed(data))

    def _say(self, splitter: Splitter, lines: list[str]) -> None:
        if not lines:
            return
        if self.report is not None:
            self.report.lines(splitter.stream, lines)
        else:
            with contextlib.suppress(OSError):
                os.write(self._saved[0 if splitter.stream == "stdout" else 1], ("\n".join(lines) + "\n").encode("utf-8", "replace"))


class StepLogging(logging.Handler):
    """Log records of the step's code go to its report; the worker's own go to the worker's log."""

    def __init__(self, current: Callable[[], Report | None], own: TextIO):
        super().__init__()
        self._current, self._own = current, own

    def emit(self, record: logging.LogRecord) -> None:
        try:
            report = self._current()
            ours = record.name.startswith(_OURS)
            text = self.format(record) if ours or report is None else record.getMessage()
            if ours or report is None:
                self._own.write(text + "\n")
                return
            report.lines("log", text.splitlines() or [""], record.levelname.lower())
            if record.exc_info and record.exc_info[0] is not None:
                report.lines("log", logging.Formatter().formatException(record.exc_info).splitlines(), record.levelname.lower())
        except Exception:
            self.handleError(record)


class Beater:
    """The thread that keeps the current attempt alive in the ledger and hurries its words there. `late(report)` is called
    on each round for an attempt that was told to stop, or whose time is over, and is still running; `catch_up()` on each."""

    def __init__(self, late: Callable[[Report], None], catch_up: Callable[[], None]):
        self._late, self._catch_up = late, catch_up
        self._report: Report | None = None
        self._changed = threading.Event()
        self._thread: threading.Thread | None = None
        self._trouble = Trouble(log, "A heartbeat")

    def watch(self, report: Report | None) -> None:
        self._report = report
        if report is not None and not self._changed.is_set():
            self._changed.set()
        if self._thread is None and report is not None:
            self._thread = threading.Thread(target=self._loop, name="beat", daemon=True)
            self._thread.start()

    def _loop(self) -> None:
        while True:
            self._changed.wait()
            time.sleep(FLUSH_S)
            report = self._report
            if report is None:
                self._changed.clear()
                continue
            try:
                self._catch_up()
                if report.pending or time.monotonic() - report.beaten_at >= BEAT_S:
                    report.beat()
                if self._report is report:
                    self._late(report)
                self._trouble.over()
            except Exception as exc:
                self._trouble.met(exc)
