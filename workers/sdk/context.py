"""What a running step may use: logs, progress, metrics, a scratch folder, the artifact store, the studio's API.

The engine installs a `Context` around each step; components ask for it with `current()`. Tests use `local(folder)`.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workers.sdk.errors import Cancelled

if TYPE_CHECKING:
    from workers.sdk.client import Client
    from workers.sdk.store import Store


class Reporter(Protocol):
    """Where a step's words go. None of these may block the step; `cancelled` is asked on every batch and must be cheap."""

    def log(self, text: str, level: str) -> None: ...
    def progress(self, fraction: float, message: str) -> None: ...
    def metric(self, name: str, value: float, index: float) -> None: ...
    def cancelled(self) -> bool: ...


class Waits(Exception):
    """Raised by `ask`: the step is put aside, without a worker, until somebody has answered. Not to be caught by a component."""

    def __init__(self, question: Mapping[str, Any], hours: float):
        super().__init__("waits for a person")
        self.question, self.hours = dict(question), hours


class Recorder:
    """A reporter that keeps everything in lists: for tests and for trying a component by hand."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.fractions: list[tuple[float, str]] = []
        self.points: list[tuple[str, float, float]] = []
        self.stop = False

    def log(self, text: str, level: str) -> None:
        self.lines.append(text)

    def progress(self, fraction: float, message: str) -> None:
        self.fractions.append((fraction, message))

    def metric(self, name: str, value: float, index: float) -> None:
        self.points.append((name, value, index))

    def cancelled(self) -> bool:
        return self.stop


@dataclass(kw_only=True)
class Context:
    """The world of one attempt at one step.

    `scratch` is a folder that outlives the attempt: a second attempt of the same step run finds there what the first one left
    (checkpoints). It is `folder`, which is made when it is first asked for: most steps need none. `device` is "cpu", "cuda" or "cuda:N".
    `rank` of `world`: which of the processes this is that run the step together, one a device (`workers.training.spread`). `titles` are
    what the form calls the step's parameters, by name, for what people will read. `open_store` and `open_client` are called at first use.
    """

    report: Reporter
    folder: str
    open_store: Callable[[], Store]
    open_client: Callable[[], Client]
    device: str = "cpu"
    run_id: str = ""
    step_run_id: str = ""
    step: str = ""
    project: str = ""
    pipeline: str = ""
    rank: int = 0
    world: int = 1
    state: Mapping[str, Any] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    _store: Store | None = field(default=None, repr=False)
    _client: Client | None = field(default=None, repr=False)

    @cached_property
    def scratch(self) -> Path:
        """A folder of the step's own; it is there."""
        folder = Path(self.folder)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def untouched(self) -> bool:
        """Nobody has asked for the scratch folder."""
        return "scratch" not in self.__dict__

    @property
    def store(self) -> Store:
        """The artifact store."""
        if self._store is None:
            self._store = self.open_store()
        return self._store

    @property
    def client(self) -> Client:
        """The studio's HTTP API, as the person who started the run, for as long as the step runs."""
        if self._client is None:
            self._client = self.open_client()
        return self._client

    @property
    def threads(self) -> int:
        """How many threads a library may use: OMP_NUM_THREADS where it is set, else the processors of this process."""
        given = os.environ.get("OMP_NUM_THREADS", "")
        if given.isdigit() and int(given) > 0:
            return int(given)
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def log(self, text: str, level: str = "info") -> None:
        """Write a line to the step's log."""
        self.report.log(text, level)

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how much of the step is done, 0 to 1, and in a few words what it is doing."""
        self.report.progress(min(1.0, max(0.0, float(fraction))), message)

    def metric(self, name: str, value: float, index: float) -> None:
        """Add a point to a live chart: `name` is the series, `index` its place on the horizontal axis."""
        self.report.metric(name, float(value), float(index))

    def ask(self, question: Mapping[str, Any], hours: float = 0) -> dict[str, Any]:
        """What a person answered: `{"by", "name", "answer", "values", "comment", "late"}`. The first call puts the step aside (raises
        `Waits`); once somebody has answered, or `hours` have passed (0: no deadline; then `late` is set), the component is called again
        and gets the answer here."""
        if "decision" not in self.state:
            raise Waits(question, hours)
        return dict(self.state["decision"])

    def check_cancelled(self) -> None:
        """Raise `Cancelled` when the run was cancelled. Call it at least once a second of work."""
        if self.report.cancelled():
            raise Cancelled


_current: contextvars.ContextVar[Context] = contextvars.ContextVar("headrace_step")


def current() -> Context:
    """The context of the running step."""
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError("No step is running here: wrap the call in `with context.local(folder):` or let the engine run it.") from None


def active() -> Context | None:
    """The context of the running step, or None outside one."""
    return _current.get(None)


@contextlib.contextmanager
def use(context: Context) -> Iterator[Context]:
    """Make `context` the current one inside the block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


@contextlib.contextmanager
def local(folder: Path, *, device: str = "cpu", client: Client | None = None) -> Iterator[Context]:
    """A context without an engine: files under `folder`, words kept in `context.report` (a `Recorder`)."""

    def open_store() -> Store:
        from workers.sdk.store import Store

        return Store(str(Path(folder) / "store"))

    def open_client() -> Client:
        if client is None:
            raise RuntimeError("This context has no studio to talk to: give `local(folder, client=…)`.")
        return client

    with use(
        Context(
            report=Recorder(),
            folder=str(Path(folder) / "scratch"),
            open_store=open_store,
            open_client=open_client,
            device=device,
            step="step",
            project="project",
        )
    ) as context:
        yield context
