"""Label Studio's own JSON: a list of tasks with their data and annotations (https://labelstud.io/guide/export). `meta.headrace` names our
item; a file of another studio is matched by the data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from workers.sdk.labels.config import FILES, ON, LabelConfig
from workers.sdk.labels.strict_json import elements
from workers.sdk.labels.travel import BadFile, Format, Found, Item, Json, Member, Ref, Source, Target, Writing, image_path, only_file


def write(items: Iterable[Item], writing: Writing) -> Iterator[Member]:
    def pieces() -> Iterator[bytes]:
        yield b"["
        for n, item in enumerate(items):
            yield (",\n" if n else "\n").encode() + json.dumps(_task(item, writing), ensure_ascii=False).encode()
        yield b"\n]\n"

    yield "labels.json", pieces()


def _task(item: Item, writing: Writing) -> Json:
    shown = item.shown()
    data = dict(item.data)
    for one in writing.config.objects:
        data[one.value] = shown.get(one.name, "") if one.tag not in FILES else image_path(item) if writing.images else item.key
    return {
        "id": item.id,
        "data": data,
        "meta": {"headrace": {"item": item.key, "digest": item.digest}},
        "annotations": [
            {
                "id": n, "unique_id": said.id, "completed_by": {"email": said.author}, "result": said.result, "was_cancelled": False,
                "ground_truth": said.truth, "lead_time": said.seconds, "created_at": said.created_at, "updated_at": said.updated_at,
            }
            for n, said in enumerate(item.said, start=1)
        ],
    }  # fmt: skip


def read(source: Source, config: LabelConfig) -> Iterator[Found]:
    name = only_file(source, ".json")
    with source.open(name) as file:
        for key, task, line in elements(file, name):
            where = f"{name}, line {line}"
            if key or not isinstance(task, dict) or not isinstance(task.get("data"), dict):
                raise BadFile(where, "This is no list of Label Studio's tasks.", '[{"data": {…}, "annotations": [{"result": [ … ]}]}]')
            said = _annotations(task, where)
            if said:
                chosen = next((one for one in said if one.get("ground_truth")), said[-1])
                yield Found(where=where, ref=ref(config, task), result=Kept(chosen["result"]), more=len(said) - 1)


def _annotations(task: Json, where: str) -> list[Json]:
    found = task.get("annotations", task.get("completions"))
    if found is None:
        raise BadFile(where, "The task has no annotations.", '"annotations": [ … ], empty where there are none')
    if not isinstance(found, list) or not all(isinstance(one, dict) and isinstance(one.get("result"), list) for one in found):
        raise BadFile(where, "The annotations are no list of results.", '"annotations": [{"result": [ … ]}]')
    return [one for one in found if not one.get("was_cancelled") and not one.get("skipped")]


def ref(config: LabelConfig, task: Json) -> Ref:
    """By our mark, or else by the path of a file that the data name, or by the variables that the schema shows."""
    meta = task.get("meta")
    ours = meta.get("headrace") if isinstance(meta, dict) else None
    data = {name: task["data"][name] for name in config.variables if name in task["data"]}
    if isinstance(ours, dict) and isinstance(ours.get("item"), str) and isinstance(ours.get("digest"), str):
        return Ref(path=ours["item"], digest=ours["digest"], data=data)
    path = next((str(data[name]) for name, tag in config.variables.items() if tag in FILES and data.get(name)), "")
    return Ref(path=path, data=data)


class Kept:
    """A result that is in our own words already."""

    def __init__(self, result: list[Json]) -> None:
        self._result = result

    def __call__(self, target: Target) -> list[Json]:
        return self._result


FORMAT = Format(
    name="labelstudio", title="Label Studio JSON", about="Everything, as Label Studio writes and reads it.", suffix=".json",
    media_type="application/json", folder=False, objects=frozenset(ON), reads=(".json", ".zip"), write=write, read=read,
)  # fmt: skip
