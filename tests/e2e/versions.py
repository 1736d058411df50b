"""A data set with labels frozen twice, for tests and pictures of what became different between its versions."""

from __future__ import annotations

import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from tests.e2e.furnish import bring
from tests.e2e.labels import PICTURES, filled
from tests.e2e.material import shapes
from workers.sdk.client import Client

Json = dict[str, Any]
SLUG = "moorings"


def _box(name: str, x: float, label: str) -> Json:
    value = {"x": x, "y": 20, "width": 34, "height": 50, "rotation": 0, "rectanglelabels": [label]}
    return {"id": name, "from_name": "shape", "to_name": "image", "type": "rectanglelabels", "value": value}


def _clear(answer: str) -> Json:
    return {"id": "the-choice-1", "from_name": "clear", "to_name": "image", "type": "choices", "value": {"choices": [answer]}}


FIRST = [_box("box-number-1", 8, "Ring"), _box("box-number-2", 52, "Ring"), _clear("clear")]
THEN = {
    "moved": [_box("box-number-1", 14, "Ring"), _box("box-number-2", 52, "Ring"), _clear("clear")],
    "relabelled": [_box("box-number-1", 8, "Cross"), _box("box-number-2", 52, "Ring"), _clear("blurred")],
    "drawn anew": [_box("box-number-2", 52, "Ring"), _box("box-number-3", 30, "Cross"), _clear("clear")],
}


def furnish_versions(client: Client) -> str:
    """The data set's slug; its version 2 holds three labelled pictures, version 3 the same three labelled otherwise. Made once."""
    if any(dataset["slug"] == SLUG for dataset in client.list_datasets()):
        return SLUG
    with tempfile.TemporaryDirectory() as folder:
        bring(client, shapes(Path(folder) / "moorings.zip", each=3), "Moorings")
    base = f"/projects/{client.project}/label-schemas"
    made = client.request("POST", base, json={"name": "Rings at the moorings", "dataset": SLUG, "xml": PICTURES, "review_share": 0.0})
    filled(client, made["slug"])
    items = []
    for _ in THEN:
        items.append(client.request("POST", f"{base}/{made['slug']}/next", json={})["item"]["id"])
        _submit(client, f"{base}/{made['slug']}/items/{items[-1]}", FIRST)
    _freeze(client, f"{base}/{made['slug']}/labelled")
    for item, result in zip(items, THEN.values(), strict=True):
        _submit(client, f"{base}/{made['slug']}/items/{item}", result, version=1)
    _freeze(client, f"{base}/{made['slug']}/labelled")
    return SLUG


def _submit(client: Client, path: str, result: list[Json], **more: Any) -> None:
    client.request("POST", f"{path}/submit", json={"id": str(uuid.uuid4()), "schema_version": 1, "result": result, "seconds": 6.0, **more})


def _freeze(client: Client, path: str) -> None:
    made = client.request("POST", path, json={"note": "Labels of the week"})["id"]
    until = time.monotonic() + 60
    while (now := next(v for v in client.request("GET", path) if v["id"] == made))["status"] in ("queued", "running"):
        assert time.monotonic() < until, now
        time.sleep(0.2)
    assert now["status"] == "ready", now
