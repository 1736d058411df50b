"""Which items of a queue a file of labels speaks of: by our own mark, by path or file name, by the values of a row, by its words."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from backend.labeling.models import LabelSchema, QueueItem
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.travel import Ref

FIELDS = "q.id, q.key, q.digest, q.media_type, q.width, q.height, q.data"
STEM = r"regexp_replace(q.key, '([^/])\.[^./]*$', '\1')"
UPLOADED = re.compile(r"[0-9a-f]{8}-")
"""What Label Studio puts before the name of an uploaded file."""


class NotMatched(Exception):
    """The sentence that says why an item was not found."""


def matched(schema: LabelSchema, config: LabelConfig, refs: Sequence[Ref]) -> list[QueueItem | NotMatched]:
    """For each of some hundreds of references its item, or why there is none."""
    found: list[QueueItem | NotMatched | None] = [None] * len(refs)
    exact = _exact(schema, [(r.path, r.digest) for r in refs if r.digest])
    for n, ref in enumerate(refs):
        found[n] = exact.get((ref.path, ref.digest))
    open_ = [n for n, item in enumerate(found) if item is None]
    by_path = _ByPath(schema, [refs[n] for n in open_])
    by_words = _ByWords(schema, config, [refs[n] for n in open_])
    for n in open_:
        found[n] = by_path(refs[n]) or by_words(refs[n]) or NotMatched(f"There is no item “{refs[n]}” in the queue.")
    return [item for item in found if item is not None]


def _items(sql: str, values: list[Any]) -> list[QueueItem]:
    return list(QueueItem.objects.raw(f"SELECT {FIELDS}, q.schema_id FROM labeling_queueitem q {sql}", values))  # noqa: S608 - text of ours


def _keepable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= ch <= "\udfff" for ch in text)


def _exact(schema: LabelSchema, marks: list[tuple[str, str]]) -> dict[tuple[str, str], QueueItem]:
    marks = [m for m in marks if _keepable("".join(m))]
    if not marks:
        return {}
    sql = (
        "JOIN unnest(%s::text[], %s::text[]) r(key, digest) ON q.key = r.key AND q.digest = r.digest"
        " WHERE q.schema_id = %s AND NOT q.removed"
    )
    return {(i.key, i.digest): i for i in _items(sql, [[k for k, _ in marks], [d for _, d in marks], schema.pk])}


def tails(path: str) -> list[str]:
    """A path and what is left of it without its first folders, longest first: a file names its pictures from another root."""
    path = path.replace("\\", "/")
    if "?d=" in path:  # Label Studio's way to name files that lie beside it
        path = unquote(path.partition("?d=")[2])
    elif "://" in path:
        path = unquote(path.partition("://")[2].split("?")[0])
    parts = [p for p in path.split("/") if p not in ("", ".")][-12:]
    found = ["/".join(parts[n:]) for n in range(len(parts))]
    return found + ([name] if found and (name := UPLOADED.sub("", found[-1], count=1)) and name != found[-1] else [])


class _ByPath:
    """Items by path: the longest tail that is a key, else the file name alone where one item has it."""

    def __init__(self, schema: LabelSchema, refs: list[Ref]) -> None:
        self._known: dict[tuple[str, bool], list[QueueItem]] = defaultdict(list)
        self._named: dict[tuple[str, bool], list[QueueItem]] = defaultdict(list)
        refs = [r for r in refs if r.path and _keepable(r.path)]
        for stem in (False, True):
            paths = [tails(r.path) for r in refs if r.stem == stem]
            if not paths:
                continue
            key = STEM if stem else "q.key"
            every = list({tail for some in paths for tail in some})
            last = list({name for some in paths for name in some[-2:] if "/" not in name})
            sql = f"WHERE q.schema_id = %s AND NOT q.removed AND q.media_type <> 'application/json' AND ({key} = ANY (%s)"
            for item in _items(f"{sql} OR regexp_replace({key}, '^.*/', '') = ANY (%s))", [schema.pk, every, last]):
                path = re.sub(r"([^/])\.[^./]*$", r"\1", item.key) if stem else item.key
                self._known[path, stem].append(item)
                self._named[path.rsplit("/", 1)[-1], stem].append(item)

    def __call__(self, ref: Ref) -> QueueItem | NotMatched | None:
        for tail in tails(ref.path):
            for known in (self._known, self._named) if "/" not in tail else (self._known,):
                items = known.get((tail, ref.stem), [])
                if len(items) > 1:
                    return NotMatched(f"{len(items):,} items are called “{tail}”.")
                if items and ref.digest and items[0].digest != ref.digest:
                    return NotMatched(f"The item “{tail}” has other bytes than the one that was labelled.")
                if items:
                    return items[0]
        return None


class _ByWords:
    """Rows of a table by the variables that the schema shows, or by a text without its white space."""

    def __init__(self, schema: LabelSchema, config: LabelConfig, refs: list[Ref]) -> None:
        self._variables = [o.value for o in config.objects if o.tag == "Text"]
        self._rows: dict[str, list[QueueItem]] = defaultdict(list)
        self._squeezed: dict[str, list[QueueItem]] = defaultdict(list)
        if not self._variables:
            return
        first = self._variables[0]
        values = [v for r in refs if (v := _text(r.data.get(first))) and _keepable(v)]
        words = [r.text for r in refs if r.text and _keepable(r.text)]
        where = "WHERE q.schema_id = %s AND NOT q.removed AND q.media_type = 'application/json' AND "
        if values:
            for item in _items(where + "q.data ->> %s = ANY (%s)", [schema.pk, first, values]):
                self._rows[_text(item.data.get(first))].append(item)
        if words:
            for item in _items(where + r"regexp_replace(q.data ->> %s, '\s', '', 'g') = ANY (%s)", [schema.pk, first, words]):
                self._squeezed["".join(_text(item.data.get(first)).split())].append(item)

    def __call__(self, ref: Ref) -> QueueItem | NotMatched | None:
        if ref.text:
            items = self._squeezed.get(ref.text, [])
        else:
            asked = {name: _text(ref.data[name]) for name in self._variables if name in ref.data}
            near = self._rows.get(asked.get(self._variables[0], ""), []) if asked else []
            items = [i for i in near if all(_text(i.data.get(name)) == value for name, value in asked.items())]
        if len(items) > 1:
            return NotMatched(f"{len(items):,} rows hold this.")
        return items[0] if items else None


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
