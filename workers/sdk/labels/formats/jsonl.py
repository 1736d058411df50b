"""JSON Lines: one item a line, `{"item", "digest", "data", "annotations": [{"result", "author", …}]}`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from workers.sdk.labels.config import ON, LabelConfig
from workers.sdk.labels.formats.labelstudio import Kept
from workers.sdk.labels.strict_json import MOST_CHARACTERS, loads
from workers.sdk.labels.travel import BadFile, Format, Found, Item, Json, Member, Ref, Source, Writing, only_file


def write(items: Iterable[Item], writing: Writing) -> Iterator[Member]:
    yield "labels.jsonl", (json.dumps(_line(item), ensure_ascii=False).encode() + b"\n" for item in items)


def _line(item: Item) -> Json:
    fields = ("id", "author", "status", "truth", "seconds", "created_at", "updated_at", "result")
    annotations = [{f: getattr(said, f) for f in fields} for said in item.said]
    return {"item": item.key, "digest": item.digest, "data": dict(item.data), "annotations": annotations}


def read(source: Source, config: LabelConfig) -> Iterator[Found]:
    name = only_file(source, ".jsonl", ".ndjson")
    with source.open(name) as file:
        number = 0
        while raw := file.readline(MOST_CHARACTERS):
            number += 1
            where = f"{name}, line {number}"
            if not raw.strip():
                continue
            if len(raw) == MOST_CHARACTERS:
                raise BadFile(where, f"The line has more than {MOST_CHARACTERS:,} bytes.", "one item a line")
            try:
                one = loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"), where)
            except UnicodeDecodeError:
                raise BadFile(where, "This is not UTF-8.", "a text file in UTF-8") from None
            yield from _found(one, where, config)


def _found(one: object, where: str, config: LabelConfig) -> Iterator[Found]:
    wanted = '{"item": "…", "annotations": [{"result": [ … ]}]}'
    if not isinstance(one, dict) or not isinstance(one.get("item"), str):
        raise BadFile(where, "The line names no item.", wanted)
    said, data = one.get("annotations"), one.get("data")
    if not isinstance(said, list) or not all(isinstance(s, dict) and isinstance(s.get("result"), list) for s in said):
        raise BadFile(f"{where}, annotations", "The annotations are no list of results.", wanted)
    if said:
        chosen = next((s for s in said if s.get("truth")), said[-1])
        digest = one.get("digest")
        known = {name: data[name] for name in config.variables if name in data} if isinstance(data, dict) else {}
        ref = Ref(path=one["item"], digest=digest if isinstance(digest, str) else "", data=known)
        yield Found(where=where, ref=ref, result=Kept(chosen["result"]), more=len(said) - 1)


FORMAT = Format(
    name="jsonl", title="JSON Lines", about="Everything, an item a line.", suffix=".jsonl", media_type="application/jsonl", folder=False,
    objects=frozenset(ON), reads=(".jsonl", ".ndjson", ".zip"), write=write, read=read,
)  # fmt: skip
