"""What user-written Python may use without an import, and the same as a list for an editor that completes.

The names are the kit's own; nothing here runs anybody's text.
"""

from __future__ import annotations

import functools
import inspect
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from workers.sdk import component as kit
from workers.sdk import context
from workers.sdk.errors import Cancelled, StepError
from workers.sdk.kinds import KINDS

Json = dict[str, Any]


class Here:
    """`context` as a text sees it: what the running step can say, without `current()`; the kit's module answers for the rest."""

    def log(self, text: str, level: str = "info") -> None:
        """Write a line to the step's log."""
        context.current().log(text, level)

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how much of the step is done, 0 to 1, and in a few words what it is doing."""
        context.current().progress(fraction, message)

    def metric(self, name: str, value: float, index: float) -> None:
        """Add a point to a live chart: `name` is the series, `index` its place on the horizontal axis."""
        context.current().metric(name, value, index)

    def check_cancelled(self) -> None:
        """End here when the run was cancelled."""
        context.current().check_cancelled()

    def __getattr__(self, name: str) -> Any:
        return getattr(context, name)


GIVEN: Json = {
    **KINDS, "Annotated": Annotated, "Any": Any, "Cancelled": Cancelled, "Column": kit.Column,
    "Columns": kit.Columns, "Expression": kit.Expression, "Field": Field, "Literal": Literal, "NamedTuple": NamedTuple, "Seed": kit.Seed,
    "StepError": StepError, "component": kit.component, "context": Here(),
}  # fmt: skip
"""What a text may use without importing it."""
SAID = {
    "Annotated": "A type with a note: Annotated[int, Field(description=…)].",
    "Any": "Any value.",
    "Field": "Title, description and limits of a parameter: Field(description=…, ge=0, le=1).",
    "Literal": 'One of a few values: Literal["mean", "median"].',
    "NamedTuple": "Several outputs: class Made(NamedTuple), a line an output.",
    "Seed": "Marks an int as the seed of what is drawn at random.",
    "context": "The running step: its log, its progress, its live charts.",
}
"""Names whose own docstring speaks to somebody else."""
FIELD = ("title", "description", "ge", "gt", "le", "lt", "min_length", "max_length", "pattern")


@functools.cache
def words() -> list[Json]:
    """`[{name, kind, signature, help, members: [the same without members]}]`, sorted by name; `kind` is one of class, function, module,
    property, keyword."""
    return [_word(name, GIVEN[name]) for name in sorted(GIVEN, key=str.lower)]


def _word(name: str, value: Any) -> Json:
    members: list[Json] = []
    if name in KINDS or isinstance(value, Here):
        members = [_member(n, v) for n, v in inspect.getmembers_static(value if name in KINDS else Here) if _shown(n, v)]
    elif name == "Field":
        members = [{"name": one, "kind": "keyword", "signature": "", "help": ""} for one in FIELD]
    kind = "module" if isinstance(value, Here) else "function" if inspect.isfunction(value) else "class"
    told = SAID.get(name) or (value.help if name in KINDS else _first(value))
    return {
        "name": name,
        "kind": kind,
        "signature": _signature(value) if kind == "function" and name not in SAID else "",
        "help": told,
        "members": members,
    }


def _shown(name: str, value: Any) -> bool:
    function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
    return not name.startswith("_") and (inspect.isfunction(function) or isinstance(value, property))


def _member(name: str, value: Any) -> Json:
    function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
    called = inspect.isfunction(function)
    return {
        "name": name, "kind": "function" if called else "property", "signature": _signature(function) if called else "",
        "help": _first(function),
    }  # fmt: skip


def _signature(function: Any) -> str:
    found = inspect.signature(function)
    kept = [p.replace(annotation=_Plain(p.annotation)) for n, p in found.parameters.items() if n not in ("self", "cls")]
    return str(found.replace(parameters=kept, return_annotation=_Plain(found.return_annotation)))


class _Plain(str):
    """An annotation that is text is shown without quotes."""

    def __repr__(self) -> str:
        return str(self)


def _first(value: Any) -> str:
    return (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")
