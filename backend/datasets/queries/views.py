"""Asking for a window of a view, and having the view made when it is not there.

A view that takes more than a moment is made by a hand while the request waits, up to what the caller said; then the answer is how far
it is, and the caller asks again. However many ask for a view it is made once. What nobody asked about for ABANDONED_S is not made on:
leaving the page, or sorting by something else, is how one cancels.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from backend.artifacts import aside
from backend.core.errors import HeadraceError, InvalidInput
from backend.datasets.models import DatasetVersion
from backend.datasets.showing.shown import Shown, View
from backend.datasets.showing.views import path_of
from backend.datasets.showing.windows import MAKE_FIRST
from workers.sdk.expression import ExpressionError, parse

log = logging.getLogger(__name__)
ABANDONED_S = 8.0
LONGEST_WAIT_S = 30.0
_makings: dict[str, Making] = {}
_lock = threading.Lock()


def shown(version: DatasetVersion) -> Shown:
    columns = [
        {"name": c["name"], "type": c["type"], "nullable": c.get("nullable", True), "format": c.get("format") or ""}
        for c in version.columns
    ]
    return Shown(data=version.data, columns=columns, null_values=version.null_values, raw=bool(version.raw) and version.data == version.raw)


def view(of: Shown, search: str | None, sort: str | None, filter: str | None) -> View:
    """Checked against the columns; raises InvalidInput."""
    wanted = View(search=(search or "").strip(), sort=(sort or "").strip(), filter=(filter or "").strip())
    types = of.types
    if wanted.sort and wanted.sort.removeprefix("-") not in types:
        column = wanted.sort.removeprefix("-")
        raise InvalidInput(message=f"There is no column “{column}” to sort by.", field="sort", hint="One of " + ", ".join(list(types)[:20]))
    if wanted.filter:
        try:
            parse(wanted.filter).check(types)
        except ExpressionError as exc:
            raise InvalidInput(message=str(exc), field="filter", hint=exc.expected, position=exc.position) from exc
    return wanted


def window(call: str, of: Shown, wanted: View, wait: float, **arguments: Any) -> tuple[Any, Making | None]:
    """(what the function `call` answers, None), or (None, the making) when the view is not ready after `wait` seconds."""
    given = {"shown": of.as_json(), "view": wanted.as_json(), **arguments}
    until = time.monotonic() + min(wait, LONGEST_WAIT_S)
    while (found := aside.ask("read", call, **given)) == MAKE_FIRST:
        making = _joined(of, wanted)
        if not making.ready(until - time.monotonic()):
            return None, making
    return found, None


def _joined(of: Shown, wanted: View) -> Making:
    """The making of this view, begun if nobody did."""
    key = wanted.key(of)
    with _lock:
        making = _makings.get(key)
        if making is None or making.over:
            making = _makings[key] = Making(key, of, wanted)
        return making


class _Dropped(Exception):
    """Nobody asks for it any more."""


class Making:
    """A view while it is made. `progress` goes from 0 to 1."""

    def __init__(self, key: str, of: Shown, wanted: View) -> None:
        self.progress, self.over, self.dropped = 0.0, False, False
        self._key, self._given = key, {"shown": of.as_json(), "view": wanted.as_json()}
        self._path = path_of(of, wanted)
        self._message: aside.Json = {}
        self._error: HeadraceError | None = None
        self._done = threading.Event()
        self._asked = time.monotonic()
        threading.Thread(target=self._run, name="view", daemon=True).start()

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
        # Once the view is there its callers have their windows and ask no more, while the hand still spreads the table for the next ones.
        return time.monotonic() < self._asked + ABANDONED_S or self._path.exists()

    def _run(self) -> None:
        try:
            with aside.hands("make").one(self._wanted) as hand:
                hand.tell("backend.datasets.showing.views:make", self._given)
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
            log.exception("a view could not be made")
            self._message = {"failed": str(exc)}
        finally:
            self.over = True
            with _lock:
                if _makings.get(self._key) is self:
                    del _makings[self._key]
            self._done.set()
