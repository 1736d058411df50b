"""What came in as an event: one shape for all kinds, `{id, source, type, time, data}` as in CloudEvents; and the small path by
which a mapping takes a value from it (`$event.data.version`, `$event.data.rows[0].id`).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from backend.core.errors import InvalidInput

Json = dict[str, Any]
MOST_BYTES = 64 * 1024
"""Of an event's body. What is larger belongs into a data set, and the event says where it is."""
DEEPEST = 32
PATH = re.compile(r"\$event((?:\.[A-Za-z_][A-Za-z0-9_-]{0,60}|\[[0-9]{1,4}\]){0,12})")
_PART = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]")


class Missing(LookupError):
    """An event has not what a mapping asks for. The text says how far the path led."""


def is_path(text: object) -> bool:
    return isinstance(text, str) and PATH.fullmatch(text) is not None


def take(payload: Json, path: str) -> Any:
    """The value at `path`; looks up names and numbers and nothing else. Raises Missing."""
    found: Any = payload
    so_far = "$event"
    for name, index in _PART.findall(path.removeprefix("$event")):
        if name and isinstance(found, dict) and name in found:
            found = found[name]
        elif index and isinstance(found, list) and int(index) < len(found):
            found = found[int(index)]
        else:
            so_far = so_far.removeprefix("$event").removeprefix(".")
            raise Missing(f"the event has no {so_far}{'.' if so_far and name else ''}{name or f'[{index}]'}")
        so_far += f".{name}" if name else f"[{index}]"
    return found


def envelope(kind: str, source: str, data: Any, *, id: str = "", time: str = "") -> Json:
    return {
        "id": id,
        "source": source,
        "type": kind,
        "time": time or timezone.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
        "data": data,
    }


def parse(body: bytes | str) -> Any:
    """A body as JSON; text that is none stays text, bytes that are none become base64."""
    try:
        text = body.decode() if isinstance(body, bytes) else body
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode() if isinstance(body, bytes) else ""}
    try:
        return storable(json.loads(text, parse_constant=_no_constant))
    except (ValueError, RecursionError):
        return text.replace("\0", "\ufffd")


def parse_json(body: bytes) -> Any:
    """A body that must be JSON; raises InvalidInput."""
    try:
        return storable(json.loads(body.decode("utf-8"), parse_constant=_no_constant))
    except (ValueError, RecursionError) as exc:
        raise InvalidInput(message="The body is not JSON that can be kept.", field="body", hint=f"{exc}"[:200]) from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def storable(value: Any, depth: int = 0) -> Any:
    """What PostgreSQL can keep, or ValueError: no NUL, no half of a surrogate pair, no infinity, not nested too deeply."""
    if depth > DEEPEST:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise ValueError("text contains a character that cannot be kept (NUL or half of a surrogate pair)")
    elif (isinstance(value, float) and value in (float("inf"), float("-inf"))) or (
        isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**300
    ):
        raise ValueError("a number is too large")
    elif isinstance(value, dict):
        for key, inner in value.items():
            storable(key, depth + 1)
            storable(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            storable(inner, depth + 1)
    return value


def storable_object(value: Mapping[str, Any], field: str, besides: Iterable[str] = ()) -> Json:
    """`value` if it can be kept and is small enough; raises InvalidInput. `besides` are keys that are not looked at."""
    try:
        size = len(json.dumps(storable({k: v for k, v in value.items() if k not in besides})))
    except ValueError as exc:
        raise InvalidInput(message=f"{field} cannot be kept: {exc}.", field=field) from None
    if size > MOST_BYTES:
        raise InvalidInput(message=f"{field} is larger than 64 KiB.", field=field)
    return dict(value)


def cloud_event(value: Any, attributes: Mapping[str, str] | None = None) -> tuple[Json, str] | None:
    """A CloudEvent as (event, idempotency key), or None: structured (the body says all), or binary (`attributes` beside the body)."""
    if attributes and attributes.get("specversion"):
        found: Json = {**attributes, "data": value}
    elif isinstance(value, dict) and isinstance(value.get("specversion"), str):
        found = value
    else:
        return None
    wrong = [name for name in ("id", "source", "type") if not isinstance(found.get(name), str) or not found[name]]
    if wrong:
        raise InvalidInput(
            message=f"This CloudEvent has no {wrong[0]}.", field=wrong[0], hint="CloudEvents need id, source, type and specversion."
        )
    if not found["specversion"].startswith("1."):
        raise InvalidInput(message=f"CloudEvents {found['specversion'][:20]} are not understood.", field="specversion", hint="Send 1.0.")
    data = found.get("data")
    if data is None and isinstance(found.get("data_base64"), str):
        data = {"base64": found["data_base64"]}
    event = envelope(found["type"][:200], found["source"][:300], data, id=found["id"][:200], time=str(found.get("time") or ""))
    for name in ("subject", "dataschema", "datacontenttype"):
        if isinstance(found.get(name), str):
            event[name] = found[name][:300]
    return event, f"ce:{found['source']} {found['id']}"
