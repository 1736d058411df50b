"""A tagger learns spans of real texts, is published, and answers as it was evaluated; what it cannot learn from is named."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from tests.spans import cited, table
from workers.sdk import spans
from workers.sdk.errors import StepError
from workers.sdk.kinds import Table
from workers.serving import oip
from workers.serving.ask import answers
from workers.serving.model import InputRefused, LoadedModel
from workers.training.model_folder import check_parity


@pytest.fixture
def train(run: Any, step: Any) -> Any:
    """As each step does, with a scratch folder of its own."""

    def call(table_: Table, **parameters: Any) -> Any:
        (step.scratch / "checkpoint.safetensors").unlink(missing_ok=True)
        return run("train_span_tagger", {"train": table_}, **parameters)["model"]

    return call


FEW = {"epochs": 2, "width": 16, "patience": 0}


def rows(*said: tuple[str, Any]) -> Table:
    cells = [cell if cell is None or isinstance(cell, str) else json.dumps(cell) for _, cell in said]
    return Table.from_arrow(pa.table({"note": [text for text, _ in said], "what": pa.array(cells, pa.string())}), types={"what": "json"})


def test_it_learns_and_what_is_served_answers_as_what_was_evaluated(run: Any, train: Any, step: Any) -> None:
    known = cited(330)
    model = train(table(known[:240]), name="Citations")
    found = run("evaluate_spans", {"model": model, "test": table(known[240:])}, bootstrap_rounds=50)
    values = found["metrics"].value["values"]
    assert values["f1"]["value"] > 0.75 and values["f1"]["low"] <= values["f1"]["value"] <= values["partial_f1"]["value"] + 1e-9, values
    assert found["metrics"].value["per_class"]["call"]["support"]["value"] > 10
    assert [one["title"] for one in found["figures"].value] == ["By label", "What became of each span"]

    manifest = model.manifest()
    assert (manifest["task"], manifest["target"], manifest["output"]["labels"]) == ("spans", "what", ["call", "error", "standard"])
    assert manifest["output"]["layers"] == [["call", "error", "standard"]] and check_parity(model)["largest_difference"] <= 1e-5
    card = (model.file() / "card.md").read_text()
    assert "Predicts **what** (spans)" in card and "up to their first 100,000 characters" in card and "Spans never overlap." in card

    served = LoadedModel(model.file(), "citations@1")
    served.warm_up()
    texts = [text for text, _ in known[240:]]
    said = answers(served, [{"text": text} for text in texts])
    table_ = found["predictions"].arrow()
    for cell, one in zip(table_["spans found"].to_pylist(), said, strict=True):
        # Single precision: asked in other batches, a chance differs in its last digits.
        assert one and json.loads(cell) == [{**span, "score": pytest.approx(span["score"], abs=1e-5)} for span in one["spans"]]
    assert all(s["text"] == text[s["start"] : s["end"]] for text, one in zip(texts, said, strict=True) for s in (one or {})["spans"])

    # What follows in the same file: hostile texts, a text far longer than a piece, and the tensors of the other protocol.
    odd = ["", None, "🙈" * 300, "\0\ud83d", "x" * 10**5, "mailto:" * 3000]
    assert all(one is not None and 0 <= one["score"] <= 1 for one in answers(served, [{"text": text} for text in odd]))
    long = "\n\n".join(texts)
    whole = answers(served, [{"text": long}])[0]
    assert whole and "unread" not in whole
    places, missed, start = {(s["start"], s["end"], s["label"]) for s in whole["spans"]}, 0, 0
    for text, one in zip(texts, said, strict=True):
        alone = {(s["start"] + start, s["end"] + start, s["label"]) for s in (one or {})["spans"] if s["score"] > 0.9}
        missed += len(alone - places)
        start += len(text) + 2
    assert missed <= len(places) // 20, "what is sure alone is found in one text of many pieces"
    assert (answers(served, [{"text": "RFC 822 " * 20_000}])[0] or {})["unread"] is True
    with pytest.raises(InputRefused, match="hold 600,000 characters"):
        served.check([{"text": "a" * 100_000}] * 6)
    columns, n = oip.columns(served, {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["See RFC 2822."]}]})
    told = oip.response("citations", served, {}, served.infer(columns), "r")
    assert n == 1 and {o["name"]: o["shape"] for o in told["outputs"]} == {"spans": [1], "score": [1]}
    assert json.loads(told["outputs"][0]["data"][0]) == (answers(served, [{"text": "See RFC 2822."}])[0] or {})["spans"]


def test_equal_seeds_give_equal_models_and_a_killed_attempt_goes_on(
    run: Any, train: Any, step: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers.training import loop

    few = table(cited(40))
    first = train(few, **FEW, seed=3).manifest()["fingerprint"]
    (step.scratch / "checkpoint.safetensors").unlink()
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY_S", 0.0)
    seen = 0

    def dies() -> None:
        nonlocal seen
        seen += 1
        if seen == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(step, "check_cancelled", dies)
        run("train_span_tagger", {"train": few}, **FEW, seed=3)
    assert (step.scratch / "checkpoint.safetensors").is_file()
    again = run("train_span_tagger", {"train": few}, **FEW, seed=3)["model"].manifest()["fingerprint"]
    assert again == first and any("Going on after step" in line for line in step.report.lines)


def test_few_texts_are_all_learned_from(run: Any, train: Any, step: Any) -> None:
    """By three watched texts the best epoch would be picked at random."""
    known = cited(300)
    model = train(table(known[:36]))
    assert model.manifest()["training"]["rows"] == 36 and model.manifest()["metrics"] == {}
    assert any("none is watched to stop early" in line for line in step.report.lines)
    values = run("evaluate_spans", {"model": model, "test": table(known[220:])}, bootstrap_rounds=0)["metrics"].value["values"]
    assert values["f1"]["value"] > 0.4, values


def test_spans_that_overlap_get_a_layer_for_each_label_or_the_longest_wins(train: Any, step: Any) -> None:
    nested = [
        (f"Das Rathaus von {town} ist alt.", [
            {"start": 4, "end": 16 + len(town), "labels": ["house"]}, {"start": 16, "end": 16 + len(town), "labels": ["place"]},
        ])
        for town in ("Bern", "Rom", "Ulm", "Köln", "Basel", "Delft", "Hull", "Paris", "Wien", "Graz") * 6
    ]  # fmt: skip
    model = train(rows(*nested), epochs=15, width=32)
    assert model.manifest()["output"]["layers"] == [["house"], ["place"]]
    (said,) = answers(LoadedModel(model.file(), "m@1"), [{"note": "Das Rathaus von Bern ist alt."}])
    assert said and [(s["label"], s["text"]) for s in said["spans"]] == [("house", "Rathaus von Bern"), ("place", "Bern")]

    flat = train(rows(*nested), **FEW, overlaps="one span a place")
    assert flat.manifest()["output"]["layers"] == [["house", "place"]]
    assert any("60 spans lie over a longer one" in line for line in step.report.lines)


def test_places_are_read_as_they_are_counted_and_words_that_are_cut_are_told(train: Any, step: Any) -> None:
    text = "🙈 Anna lives in Bern"
    units, points = [{"start": 3, "end": 7, "label": "who", "text": "Anna"}], [{"start": 2, "end": 6, "label": "who", "text": "Anna"}]
    for said, offsets in ((units, "UTF-16 units"), (points, "characters")):
        made = train(rows(*[(text, said)] * 8), **FEW, offsets=offsets)
        assert made.manifest()["training"]["spans"] == {"who": 8}
        assert made.manifest()["input"]["columns"][0]["name"] == "note"
    with pytest.raises(
        StepError, match=r"Row 1 cannot be used: the span from 2 to 6 says it is “Anna”, and there stands “ Ann”"
    ) as refused:
        train(rows((text, points)), **FEW)
    assert refused.value.field == "spans_column" and "Places count" in refused.value.hint

    cut = [("Annabel is here", [{"start": 0, "end": 4, "labels": ["who"]}]), ("Anna  ", [{"start": 0, "end": 6, "labels": ["who"]}])] * 4
    train(rows(*cut, ("", [])), **FEW)
    assert any("4 spans begin or end inside a word" in line for line in step.report.lines)
    assert any("1 texts are empty" in line for line in step.report.lines)


def test_text_files_bring_their_annotations_and_rows_that_nobody_labelled_are_left_out(train: Any, step: Any) -> None:
    def said(*spans_: dict[str, Any]) -> str:
        about = {"from_name": "part", "to_name": "text", "type": "labels"}
        return json.dumps({"label_schema": "s", "version": 1, "result": [{"id": "a", **about, "value": one} for one in spans_]})

    texts = ["Anna and Bob", "nobody", "not looked at"]
    files = Table.from_arrow(
        pa.table({
            "key": ["a.txt", "b.txt", "c.txt"], "text": texts, "digest": ["1" * 64] * 3,
            "annotations": [said({"start": 0, "end": 4, "labels": ["who"]}, {"start": 9, "end": 12, "labels": ["who"]}), said(), None],
        }),
        types={"text": "text", "annotations": "json", "key": "text"}, of_files=["key", "split", "digest", "size"],
    )  # fmt: skip
    made = train(files, **FEW).manifest()
    assert made["training"]["spans"] == {"who": 2} and made["input"]["columns"][0]["name"] == "text"
    assert any("1 rows that nobody has labelled are left out" in line for line in step.report.lines)


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ([{"start": 0, "end": 99, "labels": ["a"]}], "a span goes from 0 to 99, and the text has 12 characters"),
        ([{"start": 4, "end": 4, "labels": ["a"]}], "the span from 4 to 4 is empty"),
        ([{"start": "0", "end": 4, "labels": ["a"]}], "a span goes from '0' to 4; whole numbers are needed"),
        ([{"start": 0, "end": 4, "labels": [7]}], "the label of the span from 0 to 4 is no text"),
        ("[[[", "its spans are not JSON"),
        ({"start": 0}, "its spans are not a list of {start, end, labels}"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_what_is_wrong(train: Any, step: Any, cell: Any, why: str) -> None:
    good = ("Anna is here", [{"start": 0, "end": 4, "labels": ["a"]}])
    with pytest.raises(StepError, match="Row 2 cannot be used: ") as refused:
        train(rows(good, ("Anna is here", cell)), spans_column="what", **FEW)
    assert why in str(refused.value) and refused.value.hint


def test_a_table_without_spans_says_what_to_do(train: Any, step: Any) -> None:
    with pytest.raises(StepError, match="no column with labelled spans") as refused:
        train(rows(("Anna", []), ("Bob", None)))
    assert "<Labels>" in refused.value.hint
    with pytest.raises(StepError, match="There are 2 labelled texts and no span in any of them"):
        train(rows(("Anna", []), ("Bob", []), ("Eve", None)), spans_column="what")
    with pytest.raises(StepError, match="no column “wat”"):
        train(rows(("Anna", [])), spans_column="wat")


def test_a_damaged_model_is_not_served(train: Any, step: Any) -> None:
    folder = train(table(cited(30)), **FEW).file()
    (folder / spans.FILE).write_bytes((folder / spans.FILE).read_bytes()[:100])
    with pytest.raises(ValueError, match=r"spans\.safetensors"):
        LoadedModel(folder, "m@1")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["input"]["columns"][0]["tokens"] = "headrace-spans/9"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"headrace-spans/9.*this version of the studio reads headrace-spans/1"):
        LoadedModel(folder, "m@1")
