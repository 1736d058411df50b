"""The data of a task as each side says it, without its file, in a form in which two sides can be compared."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from backend.labeling.models import QueueItem
from backend.labeling.queries.items import shown_data
from backend.labelstudio.actions.freezing import OF_A_FILE
from workers.sdk.labels.config import FILES, LabelConfig

Json = dict[str, Any]
SHOWN = 2_000
"""Characters of a field that a conflict shows: around where the sides begin to differ."""
BEFORE = 300


def digest_of(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def file_field(config: LabelConfig) -> str | None:
    """The field that names a task's file; None where it shows no file."""
    return next((o.value for o in config.objects if o.tag in FILES), None)


def ours_of(item: QueueItem, config: LabelConfig) -> Json:
    """What is known of a file by its bytes is no word of anybody and does not count."""
    if item.media_type == "application/json":
        return dict(item.data)
    beside = {name: value for name, value in item.data.items() if name not in OF_A_FILE}
    if item.media_type.startswith("text/"):
        said = shown_data(item, config)
        return beside | {o.value: said[o.name] for o in config.objects if o.name in said}
    return beside


def theirs_of(data: Json, config: LabelConfig) -> Json:
    shows = file_field(config)
    return dict(data) if shows is None else {n: v for n, v in data.items() if n != shows and n not in OF_A_FILE}


def address_digest(data: Json, config: LabelConfig) -> str:
    """Of where its file is. A signature in an address is another each time; only what names the file counts."""
    shows = file_field(config)
    if shows is None or not isinstance(data.get(shows), str):
        return ""
    parts = urlsplit(data[shows])
    return digest_of([parts.netloc, parts.path, parse_qs(parts.query).get("fileuri")])


def same(item: QueueItem, owned: bool, ours: Json, theirs: Json) -> bool:
    """Of an uploaded table or text the queue knows only what is shown, and the task there may say more."""
    if owned or not (item.media_type == "application/json" or item.media_type.startswith("text/")):
        return ours == theirs
    return all(theirs.get(name) == value for name, value in ours.items())


def side_by_side(ours: Json, theirs: Json) -> tuple[Json, Json]:
    """Each side's fields as texts, as far as a person must see them to choose."""
    one: Json = {}
    other: Json = {}
    for name in list(dict.fromkeys([*ours, *theirs]))[:100]:
        mine, yours = (_text(side[name]) if name in side else None for side in (ours, theirs))
        start = 0
        if mine is not None and yours is not None:
            start = next((n for n, (a, b) in enumerate(zip(mine, yours, strict=False)) if a != b), min(len(mine), len(yours)))
        for side, text in ((one, mine), (other, yours)):
            if text is not None:
                side[name[:200]] = _around(text, start)
    return one, other


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _around(text: str, place: int) -> str:
    if len(text) <= SHOWN:
        return text
    begin = max(0, min(place - BEFORE, len(text) - SHOWN))
    return ("… " if begin else "") + text[begin : begin + SHOWN] + (" …" if begin + SHOWN < len(text) else "")
