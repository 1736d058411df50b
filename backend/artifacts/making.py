"""Having a kept file made by a hand while callers wait, or ask again.

However many ask for a file it is made once. What nobody asked about for a while is not made on: leaving the page, or wanting
something else, is how one cancels.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

from backend.artifacts import aside
from backend.core.errors import HeadraceError

log = logging.getLogger(__name__)
LONGEST_WAIT_S = 30.0
"""How long an answer may be waited for."""
_makings: dict[Path, Making] = {}
_lock = threading.Lock()


def joined(path: Path, kind: aside.Kind, call: str, given: dict[str, Any], abandoned_s: float) -> Making:
    """The making of this file, begun if nobody did: a hand of this kind calls `call` with what is given."""
    with _lock:
        making = _makings.get(path)
        if making is None or making.over:
            making = _makings[path] = Making(path, kind, call, given, abandoned_s)
        return making


class _Dropped(Exception):
    """Nobody asks for it any more."""


class Making:
    """A file while it is made. `progress` goes from 0 to 1."""

    def __init__(self, path: Path, kind: aside.Kind, call: str, given: dict[str, Any], abandoned_s: float) -> None:
        self.progress, self.over, self.dropped = 0.0, False, False
        self._path, self._kind, self._call, self._given, self._abandoned_s = path, kind, call, given, abandoned_s
        self._message: aside.Json = {}
        self._error: HeadraceError | None = None
        self._done = threading.Event()
        self._asked = time.monotonic()
        threading.Thread(target=self._run, name="making", daemon=True).start()

    def ready(self, seconds: float) -> bool:
        """Whether it is made (or was dropped just now, so that it must be begun again), after at most so long. Raises what went wrong."""
        aside.let_go()
        self._asked = max(self._asked, time.monotonic() + max(0.0, seconds))
        if not self._done.wait(max(0.0, seconds)):
            return False
        if self.dropped:
            return True
        if self._error is not None:
            raise self._error
        aside.answer_of(self._message)
        return True

    def _wanted(self) -> bool:
        # Once the file is there its callers have what they came for and ask no more, while the hand may still make more of it.
        return time.monotonic() < self._asked + self._abandoned_s or self._path.exists()

    def _run(self) -> None:
        try:
            with aside.hands(self._kind).one(self._wanted) as hand:
                hand.tell(self._call, self._given)
                while "progress" in (message := hand.hear(0.5) or {"progress": self.progress}):
                    self.progress = message["progress"]
                    if not self._wanted():
                        raise _Dropped  # ends the hand
                self._message = message
        except _Dropped:
            self.dropped = True
        except HeadraceError as exc:
            self._error = exc
        except Exception as exc:
            log.exception("a file could not be made")
            self._message = {"failed": str(exc)}
        finally:
            self.over = True
            with _lock:
                if _makings.get(self._path) is self:
                    del _makings[self._path]
            self._done.set()
