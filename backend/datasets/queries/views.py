"""Asking for a window of a view, and having the view made when it is not there.

A view that takes more than a moment is made by a hand while the request waits, up to what the caller said; then the answer is how far
it is, and the caller asks again. However many ask for a view it is made once. What nobody asked about for ABANDONED_S is not made on:
leaving the page, or sorting by something else, is how one cancels.
"""

from __future__ import annotations

import time
from typing import Any

from backend.artifacts import aside, making
from backend.artifacts.making import LONGEST_WAIT_S, Making
from backend.core.errors import InvalidInput
from backend.datasets.models import DatasetVersion
from backend.datasets.showing.shown import Shown, View
from backend.datasets.showing.views import path_of
from backend.datasets.showing.windows import MAKE_FIRST
from workers.sdk.expression import ExpressionError, parse

ABANDONED_S = 8.0


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
        begun = _joined(of, wanted)
        if not begun.ready(until - time.monotonic()):
            return None, begun
    return found, None


def _joined(of: Shown, wanted: View) -> Making:
    """The making of this view, begun if nobody did."""
    given = {"shown": of.as_json(), "view": wanted.as_json()}
    return making.joined(path_of(of, wanted), "make", "backend.datasets.showing.views:make", given, ABANDONED_S)
