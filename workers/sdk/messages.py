"""What the parts tell each other: events through the channel layer. (Wake-ups through the broker: `workers.sdk.wake`.)

Messages never carry state: a lost, late or doubled one is harmless. The state is in the run ledger.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True, slots=True)
class _Event:
    type: ClassVar[str]
    seq: int
    run: str

    def as_json(self) -> dict[str, Any]:
        return {"type": self.type, **asdict(self)}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunChanged(_Event):
    """A run's status or progress changed."""

    type: ClassVar[str] = "run_changed"
    status: str
    steps_done: int
    progress: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRunChanged(_Event):
    """A step run's status, progress or message changed."""

    type: ClassVar[str] = "step_run_changed"
    step_run: str
    step: str
    status: str
    attempt: int
    progress: float
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricsLogged(_Event):
    """New points for the live charts: `{id, step, attempt, name, index, value, at}` each."""

    type: ClassVar[str] = "metrics_logged"
    points: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class LinesLogged(_Event):
    """New log lines: `{id, step, attempt, at, stream, level, text}` each."""

    type: ClassVar[str] = "lines_logged"
    lines: list[dict[str, Any]]


STUDIO_GROUP = "studio"
"""The channel group that hears what is no project's: hosts that come, go and change."""


def run_group(run: str) -> str:
    """The channel group that hears everything about one run."""
    return f"run.{run}"


def project_group(project: str) -> str:
    """The channel group that hears the status changes of one project."""
    return f"project.{project}"


def envelope(event: _Event) -> dict[str, Any]:
    """The message to send to a channel group."""
    return {"type": "live.event", "event": event.as_json()}
