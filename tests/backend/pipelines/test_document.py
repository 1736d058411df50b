"""What an edit makes of a draft is read from the edit alone; it must be what reading the whole document would say."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pycrdt import Array, Doc, Map

from backend.core.live import updates as yjs
from backend.pipelines import document
from workers.sdk import graph as graphs

GRAPH = {"steps": {f"s{n}": {"component": "add", "inputs": {"first": [f"s{n - 1}.sum"]} if n else {}} for n in range(8)}}


def edit(doc: Doc[Any], chance: random.Random) -> None:
    """Something that a page may do to the document, and now and then something that none of ours would."""
    steps, key = doc.get("steps", type=Map), f"s{chance.randrange(10)}"
    what = chance.randrange(9)
    if key not in steps:
        wires = {"first": Array([f"s{chance.randrange(10)}.sum"])}
        steps[key] = Map({"component": "add", "parameters": Map({"plus": chance.random()}), "inputs": Map(wires)})
    elif what == 0 or not isinstance(steps[key], Map):
        del steps[key]
    elif what == 1:
        steps[key]["name"] = f"Name {chance.random()}"
    elif what == 2:
        steps[key]["position"] = {"x": chance.random() * 900, "y": 1.0}
    elif what == 3 and isinstance(steps[key].get("parameters"), Map):
        steps[key]["parameters"]["plus"] = chance.randrange(5)
    elif what == 4 and isinstance(steps[key].get("inputs"), Map):
        steps[key]["inputs"]["first"] = Array([f"s{chance.randrange(10)}.sum", "not a wire" * chance.randrange(2)][: chance.randrange(3)])
    elif what == 5:
        steps[key]["retries"] = chance.choice([1, 2, "many", -3])
    elif what == 6:
        steps[key]["component"] = chance.choice(["halve", "", "add"])
    elif what == 7:
        steps[key] = chance.choice(["rubbish", Map({"component": "number"})])
    else:
        doc.get("parameters", type=Map)["n"] = chance.choice([{"type": "integer"}, {"type": "no such"}, 3])


@pytest.mark.parametrize("seed", range(40))
def test_what_an_edit_makes_of_a_draft_is_what_the_whole_document_says(seed: int) -> None:
    chance, log = random.Random(seed), [document.seed(GRAPH)]
    pages = [yjs.load(log), yjs.load(log)]
    draft = document.read(yjs.load(log))
    for _ in range(30):
        page = chance.choice(pages)
        before = page.get_state()
        with page.transaction():
            for _ in range(chance.randrange(1, 4)):
                edit(page, chance)
        fresh = page.get_update(before)
        draft = document.read_after(draft, log, [fresh])
        log.append(fresh)
        assert draft == document.read(yjs.load(log))
        if chance.random() < 0.4:  # the other page hears of what it missed, and may bring back what was deleted
            for other in pages:
                other.apply_update(yjs.load(log).get_update())


def test_a_step_that_comes_back_has_the_wires_that_led_to_it() -> None:
    log = [document.seed(GRAPH)]
    page = yjs.load(log)
    steps = page.get("steps", type=Map)
    draft = document.read(page)
    for change in (lambda: steps.pop("s3"), lambda: steps.update({"s3": Map({"component": "add"})})):
        before = page.get_state()
        change()
        fresh = page.get_update(before)
        draft, log = document.read_after(draft, log, [fresh]), [*log, fresh]
        wires = draft["steps"]["s4"]["inputs"]
        assert wires == ({"first": [{"step": "s3", "output": "sum"}]} if "s3" in draft["steps"] else {})


def test_an_edit_of_one_step_reads_that_step_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    log = [document.seed(GRAPH)]
    page = yjs.load(log)
    draft, before = document.read(page), page.get_state()
    page.get("steps", type=Map)["s5"]["note"] = "seen"
    looked: list[str] = []
    read_step = document._read_step
    monkeypatch.setattr(document, "_read_step", lambda key, value: looked.append(key) or read_step(key, value))
    monkeypatch.setattr(document, "read", lambda doc: pytest.fail("the whole document was read"))
    now = document.read_after(draft, log, [page.get_update(before)])
    assert looked == ["s5"] and now["steps"]["s5"]["note"] == "seen"
    assert graphs.digest(now, normal=True) == graphs.digest(now)
