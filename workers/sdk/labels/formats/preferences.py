"""Preference pairs for training language models (DPO, reward models): a line each, `{"prompt", "chosen", "rejected"}`, as TRL and others
read them. The prompt is every text of the schema that nothing compares. A ranking gives all its pairs (Ouyang et al. 2022, “InstructGPT”):
by place, or from bucket to bucket in the order of the schema; what lies in no bucket is in no pair. It is not read back: which items the
pairs are of is not in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.preferences import better
from workers.sdk.labels.travel import BadFile, Format, Found, Item, Json, Member, Source, Writing

TITLE = "Preference pairs"
WRITTEN = frozenset({"Pairwise", "Ranker"})


def write(items: Iterable[Item], writing: Writing) -> Iterator[Member]:
    yield "preferences.jsonl", (json.dumps(pair, ensure_ascii=False).encode() + b"\n" for item in items for pair in _pairs(item, writing))


def _pairs(item: Item, writing: Writing) -> Iterator[Json]:
    shown, config = item.shown(), writing.config
    compared = {name for c in config.controls if c.tag in WRITTEN for name in (c.to, *c.to_more)}
    texts = [str(shown.get(o.name) or "") for o in config.objects if o.tag == "Text" and o.name not in compared]
    prompt = "\n\n".join(text for text in texts if text)
    for one in writing.one(item, TITLE).result:
        control = config.control(one.get("from_name", ""))
        if control is None or control.tag not in WRITTEN:
            writing.lost[f"{TITLE} have no place for “{one.get('from_name', 'relations')}”."] += 1
            continue
        if control.tag == "Pairwise":
            sides = (control.to, *control.to_more)
            chosen, rejected = sides if one["value"]["selected"] == "left" else sides[::-1]
            found = [(_text(shown, chosen), _text(shown, rejected))]
        else:
            said = {entry["id"]: _words(entry) for entry in shown.get(control.to, ())}
            found = [(said.get(good, ""), said.get(bad, "")) for good, bad in better(control, one["value"]["ranker"])]
        for chosen, rejected in found:
            if chosen and rejected:
                yield {"prompt": prompt, "chosen": chosen, "rejected": rejected}
            else:
                writing.lost["A pair with an empty answer is left out."] += 1


def _text(shown: Mapping[str, object], name: str) -> str:
    value = shown.get(name)
    return value if isinstance(value, str) else ""


def _words(entry: Json) -> str:
    return str(entry["body"] or entry["title"])


def read(source: Source, config: LabelConfig) -> Iterator[Found]:
    raise BadFile(source.names[0] if source.names else "the file", "Preference pairs do not say which items they are of.", "JSON Lines")


FORMAT = Format(
    name="preferences", title=TITLE, about="Prompt, chosen and rejected, a pair a line: for DPO and reward models. Not read back.",
    suffix=".jsonl", media_type="application/jsonl", folder=False, objects=frozenset({"Text", "List"}), reads=(), write=write, read=read,
    controls=WRITTEN,
)  # fmt: skip
