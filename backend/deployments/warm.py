"""A registered model that pages ask now and then: its process (`asking.begin`) stays for a while after each question, because to load a
model takes a second, and people wait. Who has many questions at once uses `asking`.

A model answers one question at a time here, few models are kept, and one that does not answer in time is ended. All end with this process:
their input closes.
"""

from __future__ import annotations

import subprocess
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from django.conf import settings

from backend.core.models import User
from backend.deployments.asking import begin, name_of, through, told
from backend.deployments.errors import ModelNotAsked
from backend.deployments.models import Endpoint
from backend.registry.models import ModelVersion

MOST = 2
"""Models kept at once; of more the one that was asked longest ago ends. Each takes the memory of a Python and its model."""
IDLE_S = 120.0
PATIENCE_S = 30.0
"""As long as an endpoint is waited for (`passing`); loading is part of it."""
Json = dict[str, Any]


class Kept:
    """One model's process."""

    def __init__(self, version: ModelVersion) -> None:
        self.process: subprocess.Popen[str] = begin(version)
        self.turn = threading.Lock()
        self._leaving: threading.Timer | None = None

    def ask(self, version: ModelVersion, instances: list[Json]) -> list[Json | None] | None:
        """None where it had ended before it was asked. Raises ModelNotAsked."""
        with self.turn:
            if self._leaving is not None:
                self._leaving.cancel()
            if not self.there():
                return None
            late = _timer(PATIENCE_S, self.process.kill)
            try:
                return told(self.process, version, instances)
            except ModelNotAsked:
                if late.is_alive():
                    raise
                raise ModelNotAsked(model=name_of(version), hint=f"It did not answer within {PATIENCE_S:.0f} seconds.") from None
            finally:
                late.cancel()
                self._leaving = _timer(IDLE_S, self.end)

    def there(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """Once it has answered."""
        with self.turn:
            self.process.kill()
            self.process.communicate()


_kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()
_lock = threading.Lock()


def ask(whom: Endpoint | ModelVersion, user: User, instances: list[Json]) -> tuple[list[Json | None], str]:
    """As what `asking.asking` gives, with the model kept."""
    if isinstance(whom, Endpoint):
        return through(whom, user, instances)
    while (answers := _of(whom).ask(whom, instances)) is None:
        pass  # it was idle for too long in this very moment; the next one has just begun
    return answers, name_of(whom)


def _of(version: ModelVersion) -> Kept:
    known = (version.artifact.digest, str(settings.ARTIFACT_URL))
    with _lock:
        found = _kept.pop(known, None)
        if found is None or not found.there():
            found = Kept(version)
        idle = [name for name, kept in _kept.items() if not kept.turn.locked()]
        gone = [_kept.pop(name) for name in idle[: max(0, len(_kept) + 1 - MOST)]]
        _kept[known] = found
    for one in gone:
        one.end()
    return found


def _timer(seconds: float, call: Callable[[], Any]) -> threading.Timer:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
    return timer
