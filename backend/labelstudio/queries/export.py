"""Tasks with their annotations as files: Label Studio's JSON, its short JSON, CSV and TSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from backend.core.errors import InvalidInput
from backend.core.models import User
from backend.labeling.models import LabelSchema, QueueItem
from backend.labelstudio.queries.shapes import tasks_out

Json = dict[str, Any]
FORMATS = ("JSON", "JSON_MIN", "CSV", "TSV")
MEDIA = {"JSON": "application/json", "JSON_MIN": "application/json", "CSV": "text/csv", "TSV": "text/tab-separated-values"}
BATCH = 500


def known(name: str | None) -> str:
    wanted = (name or "JSON").upper()
    if wanted not in FORMATS:
        raise InvalidInput(
            message=f"There is no export “{(name or '')[:40]}” here.", field="export_type", hint="One of " + ", ".join(FORMATS) + "."
        )
    return wanted


def tasks(schema: LabelSchema, rows: QuerySet[QueueItem], user: User, role: str) -> Iterator[Json]:
    """In the order of `rows`, a batch in memory at a time."""
    ids = list(rows.values_list("pk", flat=True))
    for n in range(0, len(ids), BATCH):
        part = ids[n : n + BATCH]
        found = {item.pk: item for item in QueueItem.objects.filter(pk__in=part)}
        yield from tasks_out(schema, [found[pk] for pk in part if pk in found], user, role)


def pieces(found: Iterable[Json], form: str) -> Iterator[bytes]:
    """The file, in pieces."""
    if form == "JSON":
        yield from _array(found)
    elif form == "JSON_MIN":
        yield from _array(row for task in found for row in short(task))
    else:
        yield from _table([row for task in found for row in short(task)], "," if form == "CSV" else "\t")


def _array(rows: Iterable[Json]) -> Iterator[bytes]:
    first = True
    yield b"["
    for row in rows:
        yield (b"" if first else b",") + json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode()
        first = False
    yield b"]"


def short(task: Json) -> Iterator[Json]:
    """A row for each annotation: the task's data, and what each control says."""
    for annotation in task["annotations"]:
        if annotation["was_cancelled"]:
            continue
        yield {
            **task["data"], "id": task["id"], **_answers(annotation["result"]), "annotator": annotation["completed_by"],
            "annotation_id": annotation["id"], "created_at": annotation["created_at"], "updated_at": annotation["updated_at"],
            "lead_time": annotation["lead_time"],
        }  # fmt: skip


def _answers(result: Sequence[Json]) -> Json:
    found: dict[str, list[Any]] = {}
    for region in result:
        if "from_name" in region:
            found.setdefault(region["from_name"], []).append(region)
    return {name: _answer(regions) for name, regions in found.items()}


def _answer(regions: Sequence[Json]) -> Any:
    kind, value = regions[0]["type"], regions[0]["value"]
    if kind == "choices" and len(regions) == 1:
        return value["choices"][0] if len(value["choices"]) == 1 else {"choices": value["choices"]}
    if kind in ("rating", "number") and len(regions) == 1:
        return value[kind]
    if kind == "textarea":
        texts = [text for region in regions for text in region["value"]["text"]]
        return texts[0] if len(texts) == 1 else texts
    return [region["value"] for region in regions]


def _table(rows: Sequence[Json], delimiter: str) -> Iterator[bytes]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, delimiter=delimiter)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
        if out.tell() > 64_000:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _cell(value: Any) -> Any:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False) if isinstance(value, list | dict) else value
