"""Two versions of a data set side by side: what came, what went, what is said differently."""

from __future__ import annotations

from typing import Any

from backend.datasets.models import Item
from tests.backend.datasets.conftest import Uploader, image, zipped
from tests.backend.people import Person

FREEZE = {"freeze": True}


def box(id_: str, x: float, label: str = "Head") -> dict[str, Any]:
    value = {"x": x, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": [label]}
    return {"id": id_, "from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": value}


def said(*result: dict[str, Any]) -> dict[str, Any]:
    return {
        "annotations": {
            "label_schema": "pets",
            "version": 2,
            "result": list(result),
            "by": "Ann",
            "at": "2026-11-26T10:00:00",
            "how": "single",
        }
    }


def test_items_and_their_boxes(upload: Uploader, editor: Person) -> None:
    before = {f"cat/{n}.png": image((n, 0, 0)) for n in range(4)}
    upload.ready(zipped(before), "pets.zip", name="Pets", options=FREEZE)
    after = {"cat/0.png": before["cat/0.png"], "cat/1.png": image("green"), "dog/4.png": image("blue"), "cat/2.png": before["cat/2.png"]}
    Item.objects.filter(key="cat/2.png").update(data=said(box("a", 10), box("b", 50), box("c", 30, "Tail"), box("d", 70)))
    upload.ready(zipped(after), "pets.zip", dataset="pets", options=FREEZE)
    now = said(box("a", 12), box("b", 50), box("z", 31, "Head"), box("e", 5))
    Item.objects.filter(key="cat/2.png", removed_in=None).update(data=now)

    found = editor.get("/datasets/pets/versions/2/changes?since=1")
    assert {k: found[k] for k in ("added", "removed", "changed", "unchanged", "total")} == {
        "added": 1, "removed": 1, "changed": 2, "unchanged": 1, "total": 4,
    }  # fmt: skip
    kinds = {i["key"]: i["kinds"] for i in found["items"]}
    assert kinds == {"cat/1.png": ["content"], "cat/2.png": ["annotations"], "cat/3.png": ["removed"], "dog/4.png": ["added"]}
    assert {k: n for k, n in found["kinds"].items() if n} == {"added": 1, "removed": 1, "content": 1, "annotations": 1}

    boxes = next(i for i in found["items"] if i["key"] == "cat/2.png")
    told = {(r["what"], (r["before"] or r["after"])["outline"][0][0]): r for r in boxes["regions"]}
    assert set(told) == {("moved", 10), ("same", 50), ("relabelled", 30), ("removed", 70), ("added", 5)}, "by id, then by what they cover"
    assert 0.7 < told["moved", 10]["overlap"] < 0.95 and len(told["moved", 10]["before"]["outline"]) == 4
    assert (told["relabelled", 30]["before"]["labels"], told["relabelled", 30]["after"]["labels"]) == (["Tail"], ["Head"])
    assert (boxes["after"]["labelled_by"], boxes["after"]["wording"]) == ("Ann", "pets@2"), "whose labels, under which wording"

    backwards = editor.get("/datasets/pets/versions/1/changes?since=2")
    assert (backwards["added"], backwards["removed"], backwards["unchanged"]) == (1, 1, 1)
    assert {i["key"] for i in backwards["items"] if "added" in i["kinds"]} == {"cat/3.png"}
    only = editor.get("/datasets/pets/versions/2/changes?since=1&kind=content&search=CAT")
    assert [i["key"] for i in only["items"]] == ["cat/1.png"] and only["total"] == 1
    beyond = editor.get("/datasets/pets/versions/2/changes?since=1&offset=9")
    assert (beyond["items"], beyond["total"], beyond["changed"]) == ([], 4, 2), "the figures do not depend on the page"
    gone = next(i for i in found["items"] if i["key"] == "cat/3.png")["before"]
    seen = editor.ask("GET", gone["url"].partition(editor.project.slug)[2])
    assert (b"".join(seen.streaming_content) if seen.streaming else seen.content) == before["cat/3.png"], "also what is there no more"
    assert editor.get("/datasets/pets/versions/2/changes?since=2", 422)["error"]["field"] == "since"
    editor.get("/datasets/pets/versions/2/changes?since=9", 404)


def test_rows_and_columns_of_a_table(upload: Uploader, editor: Person) -> None:
    then = b"id,size,colour,old\n1,2.5,red,a\n2,,blue,b\n3,4,green,c\n4,5,,d\n"
    now = b"id,size,colour,new\n1,2.5,red,9\n2,7,blue,9\n3,4,grey,9\n4,5,,9\n5,6,red,9\n"
    upload.ready(then, "rows.csv", name="Rows", options=FREEZE)
    upload.ready(now, "rows.csv", dataset="rows", options=FREEZE)
    found = editor.get("/datasets/rows/versions/2/changes?since=1")
    assert [found[k] for k in ("added", "removed", "changed", "unchanged", "total")] == [1, 0, 2, 2, 2]
    columns = {c["name"]: (c["change"], c["cells"]) for c in found["columns"]}
    assert (
        columns["old"] == ("removed", 0)
        and columns["new"] == ("added", 0)
        and columns["size"][1] == 1
        and columns["colour"] == ("changed", 1)
    )
    assert columns["id"] == ("same", 0), "an empty cell equals an empty cell"
    assert found["rows"] == [
        {"row": 1, "cells": [{"column": "size", "before": None, "after": 7}]},
        {"row": 2, "cells": [{"column": "colour", "before": "green", "after": "grey"}]},
    ]
    assert editor.get("/datasets/rows/versions/2/changes?since=1&kind=label", 422)["error"]["field"] == "kind"
    assert editor.get("/datasets/rows/versions/2/changes?since=1&offset=1&limit=1")["rows"] == found["rows"][1:]


def test_an_item_is_found_in_its_own_data_set_only(upload: Uploader, editor: Person) -> None:
    upload.ready(zipped({"a/1.png": image("red")}), "pets.zip", name="Pets", options=FREEZE)
    item = Item.objects.get()
    upload.ready(zipped({"a/1.png": image("blue")}), "others.zip", name="Others", options=FREEZE)
    editor.get(f"/datasets/others/items/{item.pk}/file", 404)
