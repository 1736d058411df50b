"""Suggestions of a model that finds spans: which question of a schema it answers, and its answers as Label Studio's results.

Models count characters, results count UTF-16 units (`workers.sdk.spans`).
"""

from __future__ import annotations

from typing import Any

from backend.core.ids import new_id
from backend.deployments.errors import CannotSuggest
from backend.labeling.actions.schemas import newest_frozen
from backend.labeling.models import LabelSchema
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from workers.sdk.labels.config import LabelControl
from workers.sdk.labels.spans import spanned, values
from workers.sdk.spans import characters, column_of, trimmed, units

Json = dict[str, Any]


def finds(manifest: Json) -> bool:
    return manifest.get("output", {}).get("kind") == "spans"


def question(manifest: Json, schema: LabelSchema, name: str) -> LabelControl:
    """The question that such a model answers; raises CannotSuggest with the reason."""
    column = column_of(manifest)
    labels = {str(label) for label in manifest["output"]["labels"]}
    if column is None or schema.dataset.modality not in ("table", "text"):
        raise CannotSuggest(by=name, why="its model takes texts")
    there = {c["name"] for c in newest_frozen(schema.dataset).columns}
    if column["name"] not in there:
        raise CannotSuggest(by=name, why=f"the data has no column “{column['name']}”", hint="It has: " + ", ".join(sorted(there)[:20]))
    config = wording(newest_version(schema))
    offered: set[str] = set()
    for control in spanned(config):
        shown = config.object(control.to)
        # Of a text file the schema shows all of it, whatever its variable is called.
        if schema.dataset.modality == "table" and shown is not None and shown.value != column["name"]:
            continue
        if labels <= control.values:
            return control
        offered |= control.values
    if not offered:
        raise CannotSuggest(by=name, why=f"no <Labels> of this schema marks the text “{column['name']}”")
    missing = ", ".join(f"“{label}”" for label in sorted(labels - offered)[:12])
    raise CannotSuggest(by=name, why=f"no <Labels> of this schema offers all its labels: {missing} missing")


def found(control: LabelControl, answer: Json | None, asked: Json, truth: list[Json]) -> tuple[int, int]:
    """Of an answer and the truth's regions about the same text (spans found exactly, with their label; spans said and spans there are),
    so that F1 over many texts is 2 × the sum of the first / the sum of the second. What cannot be answered is all missed."""
    text = text_of(asked)
    place = characters(text)
    wanted: set[tuple[int, int, str]] = set()
    for value in values(control.name, truth):
        start, end = place(value["start"]), place(value["end"])
        if start is not None and end is not None and (span := trimmed(text, start, end)) is not None:
            wanted |= {(*span, label) for label in value["labels"]}
    told = {(s["start"], s["end"], s["label"]) for s in (answer or {"spans": []})["spans"]}
    return len(wanted & told), len(wanted) + len(told)


def text_of(asked: Json) -> str:
    return next((value for value in asked.values() if isinstance(value, str)), "")


def said(control: LabelControl, answer: Json, asked: Json) -> list[Json]:
    """An answer about `asked` as regions of `control`; none where the model finds none."""
    place = units(text_of(asked))
    return [
        {
            "id": new_id().hex[-10:], "from_name": control.name, "to_name": control.to, "type": "labels", "score": span["score"],
            "value": {"start": place(span["start"]), "end": place(span["end"]), "text": span["text"], "labels": [span["label"]]},
        }
        for span in answer["spans"]
    ]  # fmt: skip
