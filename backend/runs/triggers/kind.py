"""What a kind of trigger is, and which there are.

A kind is one file: its form (a pydantic model), the sentence that says when it starts a run, what its events look like, and how
it listens. Kinds of the stages up to here are the files of `kinds/`; a later stage registers its own when its app is ready.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, cast

from pydantic import BaseModel, SecretStr, ValidationError

from backend.core.errors import InvalidInput, NotFound, Problem

Json = dict[str, Any]
Listens = Literal["clock", "http", "studio", "topic"]
"""By whom events come: the clock, a request, another part of the studio, or a listener on a topic."""


class Inbox(Protocol):
    """Where a listener leaves what it hears. Returns once the event is committed: only then may it be acknowledged."""

    async def __call__(self, *, key: str, source: str, body: bytes | str, about: Json) -> None: ...


class Connected(Protocol):
    """Called by a listener once its broker has accepted it."""

    async def __call__(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Kind:
    """`describe` is the end of “Starts …”; `example` is an event as `$event` sees it, for the page and for trying out."""

    name: str
    title: str
    about: str
    order: int
    listens: Listens
    config: type[BaseModel]
    describe: Callable[[Any], str]
    example: Json
    check: Callable[[Any], None] = field(default=lambda config: None)
    """What the schema cannot say; raises InvalidInput with fields of the form."""
    matches: Callable[[Json, Json], bool] = field(default=lambda config, data: True)
    """Whether a `studio` event with this data is one for a trigger with this config."""
    listen: Callable[[Any, str, Inbox, Connected], Awaitable[None]] | None = None
    """Of a topic: consume until cancelled. Given the config with its secrets, a name that stays, and where to leave events."""

    def secret_fields(self) -> list[str]:
        return [
            name
            for name, info in self.config.model_fields.items()
            if SecretStr in (info.annotation, *getattr(info.annotation, "__args__", ()))
        ]

    def schema(self) -> Json:
        return self.config.model_json_schema()

    def read(self, given: Mapping[str, Any], *, field: str = "config") -> BaseModel:
        """The config as the model; raises InvalidInput that names each field."""
        try:
            found = self.config.model_validate(dict(given))
        except ValidationError as exc:
            problems = [_problem(e, field) for e in exc.errors()]
            raise InvalidInput(
                message=f"{problems[0]['field']}: {problems[0]['message']}.", field=problems[0]["field"], problems=problems
            ) from None
        self.check(found)
        return found


def _problem(error: Mapping[str, Any], field: str) -> Problem:
    context = error.get("ctx") or {}
    expected = (
        str(context["expected"])
        if "expected" in context
        else ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in context.items() if k != "error")
    )
    message = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return {"field": ".".join([field, *(str(part) for part in error["loc"])]), "message": message, "expected": expected}


_registered: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Called by later stages from their `AppConfig.ready`."""
    _registered[kind.name] = kind


@functools.lru_cache(maxsize=1)
def _own() -> dict[str, Kind]:
    from backend.runs.triggers import kinds as folder

    found = {}
    for module in pkgutil.iter_modules(folder.__path__):
        kind = cast(Kind, importlib.import_module(f"{folder.__name__}.{module.name}").KIND)
        found[kind.name] = kind
    return found


def kinds() -> dict[str, Kind]:
    """All there are, by name, in the order of the page."""
    return {kind.name: kind for kind in sorted((_own() | _registered).values(), key=lambda kind: kind.order)}


def find_kind(name: str) -> Kind:
    found = kinds().get(name)
    if found is None:
        raise NotFound(what="kind of trigger", name=name, field="kind", hint=f"There are {', '.join(kinds())}.")
    return found


def topics() -> list[str]:
    """The kinds that need a listener."""
    return [kind.name for kind in kinds().values() if kind.listens == "topic"]
