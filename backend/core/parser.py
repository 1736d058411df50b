"""JSON bodies, strictly: what PostgreSQL could not keep (NUL characters, lone surrogates, NaN) is refused before any code sees it."""

from __future__ import annotations

import json
from typing import Any, NoReturn, cast

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser
from ninja.types import DictStrAny

from backend.core.errors import InvalidInput, NotJson

DEEPEST = 200
"""Nesting that no document of ours reaches; Python's own limit would be an error 500."""


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> DictStrAny:
        found = read_json(request)
        if not isinstance(found, dict):  # ninja would read a list as an object without fields
            raise InvalidInput(message="The body is a JSON object.", hint=f"It came as {type(found).__name__}.")
        return cast(DictStrAny, found)

    def parse_querydict(self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest) -> DictStrAny:
        for name, values in data.lists():
            if any(isinstance(v, str) and "\0" in v for v in values):
                raise InvalidInput(message="Text may not contain the character NUL.", field=name)
        return super().parse_querydict(data, list_fields, request)


def read_json(request: HttpRequest) -> Any:
    """The body; raises NotJson or InvalidInput."""
    kind = request.content_type or ""
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise NotJson(hint=f"The body came as “{kind}”; send it as application/json.")
    try:
        found = json.loads(request.body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as exc:
        raise NotJson(hint=f"{type(exc).__name__}: {exc}"[:300]) from exc
    raw = request.body.lower()
    if b"\\u0000" in raw or b"\\ud" in raw or raw.count(b"[") + raw.count(b"{") > DEEPEST or b"e" in raw:
        _look(found, "", 0)
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number; send null")


def _look(value: Any, where: str, depth: int) -> None:
    if depth > DEEPEST:
        raise InvalidInput(message="This is nested too deeply.", field=where[:200] or None)
    if isinstance(value, str):
        if "\0" in value:
            raise InvalidInput(message="Text may not contain the character NUL.", field=where or None)
        try:
            value.encode()
        except UnicodeEncodeError as exc:
            raise InvalidInput(message="Text contains half of a surrogate pair.", field=where or None) from exc
    elif isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            raise InvalidInput(message="A number is too large.", field=where or None)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _look(key, where, depth + 1)
            _look(inner, f"{where}.{key}" if where else key, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _look(inner, f"{where}.{index}" if where else str(index), depth + 1)
