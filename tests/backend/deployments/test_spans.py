"""A tagger marks the spans of open items, in a table or a file each, as it answers whoever asks it; what people make of it is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.artifacts.actions import create_artifact
from backend.artifacts.storage import store
from backend.deployments.suggesting import prelabel
from backend.labeling.actions.auto_accept import accept_sure
from backend.labeling.models import Annotation, QueueItem, Suggestion
from backend.registry.actions import register
from tests.backend.datasets.conftest import Uploader, zipped
from tests.backend.deployments.conftest import Predictor
from tests.backend.deployments.test_suggesting import queue
from tests.backend.labeling.conftest import say, take
from tests.backend.people import Person, person
from tests.spans import RULES, cited, table
from workers import catalog
from workers.sdk import context
from workers.serving.model import LoadedModel

LABELS = "".join(f'<Label value="{label}"/>' for label in RULES)
QUESTION = f'<View><Text name="shown" value="$text"/><Labels name="what" toName="shown">{LABELS}</Labels></View>'
LONG = "🙈 It says nothing at all here. " * 100 + "\nSee RFC 2822, or raise ValueError."
"""A queue shows 2,000 characters of a cell, but where spans are marked; its first character is two of a browser's."""
ASKED = [*(text for text, _ in cited(212)[200:]), LONG]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with context.local(tmp_path_factory.mktemp("spans")):
        made = catalog.load().components["train_span_tagger"].call({"train": table(cited(200))}, {"epochs": 15})
        found: Path = made["model"].file()
    return found


@pytest.fixture
def said(owner: Person, trained: Path) -> LoadedModel:
    """Registered in the project, and as whoever asks it directly has it."""
    register(owner.project, owner.user, "Citations", create_artifact(owner.project, "Model", store().put_folder(trained)).digest)
    return LoadedModel(trained, "citations@1")


def directly(model: LoadedModel, text: str) -> tuple[list[tuple[int, int, str, str]], float]:
    """In UTF-16 units, as results count."""
    (one,) = model.answers(model.infer(model.check([{"text": text}])[0]))
    at = lambda place: len(text[:place].encode("utf-16-le")) // 2  # noqa: E731 - shorter here than a function
    return [(at(s["start"]), at(s["end"]), s["label"], s["text"]) for s in one["spans"]], one["score"]


def regions(result: list[dict[str, Any]]) -> list[tuple[int, int, str, str]]:
    return [(r["value"]["start"], r["value"]["end"], r["value"]["labels"][0], r["value"]["text"]) for r in result]


def test_spans_are_suggested_for_whole_texts_kept_changed_or_thrown_away_and_accepted_when_sure(
    owner: Person, predictor: Predictor, said: LoadedModel
) -> None:
    lines = "".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate([*ASKED, ""]))
    data = Uploader(owner).ready(lines.encode(), "texts.jsonl", options={"freeze": True})["dataset"]
    schema = queue(owner, data, QUESTION)
    owner.ask("PATCH", f"/label-schemas/{schema.slug}", {"order": "uncertain"})
    owner.put(f"/label-schemas/{schema.slug}/suggestions/on-opening", {"model": "citations@1"})
    opened = QueueItem.objects.get(data__text=LONG)
    (one,) = owner.post(f"/label-schemas/{schema.slug}/items/{opened.pk}/suggestions", None, 200)["suggestions"]
    assert regions(one["result"]) == directly(said, LONG)[0] != [], "of the whole text, not of what a window shows"
    predictor.start()
    owner.post("/endpoints", {"model": "Citations"})
    where = f"/label-schemas/{schema.slug}/suggestions"
    for whom in ({"model": "citations@1"}, {"endpoint": "citations"}):
        owner.post(where, whom, 202)
        prelabel(schema.pk)
        told = owner.get(where)["prelabelling"]
        assert (told["status"], told["done"], told["refused"]) == ("done", len(ASKED) + 1, 0), told
        newest = Suggestion.objects.filter(model_version__startswith="citations: " if "endpoint" in whom else "citations@")
        for one in newest.select_related("item"):
            spans, score = directly(said, one.item.data["text"] or "")
            assert regions(one.result) == spans and one.score == pytest.approx(score, abs=1e-5)
            assert len({r["id"] for r in one.result}) == len(spans)
    assert QueueItem.objects.get(data__text=LONG), "all of a text is there where its spans are marked"
    assert any(text.startswith("RFC") for *_, text in directly(said, LONG)[0])

    annotator, first = person(owner.project, "annotator"), None
    for change in ("kept", "changed", "thrown away"):
        item = take(annotator, schema.slug)
        while item and not item["suggestions"][0]["result"]:
            say(annotator, schema.slug, item["id"], [])
            item = take(annotator, schema.slug)
        assert item
        scores = dict(Suggestion.objects.filter(model_version__startswith="citations: ").values_list("item", "score"))
        first = first if first is not None else scores[item["id"]]
        result = [{k: v for k, v in r.items() if k != "score"} for r in item["suggestions"][0]["result"]]
        if change == "changed":
            result = [*result, {**result[0], "id": "more", "value": {"start": 0, "end": 1, "labels": ["call"]}}]
        say(annotator, schema.slug, item["id"], [] if change == "thrown away" else result)
    assert first is not None and first <= sorted(scores.values())[len(scores) // 2], "the least sure come first"
    counted = next(one for one in owner.get(f"{where}/outcomes") if one["model_version"].startswith("citations: "))
    assert (counted["accepted"], counted["adjusted"], counted["rejected"]) == (1, 1, 1)

    setting = {"enabled": True, "threshold": 0.5, "audit_share": 0.1, "max_error": 0.5}
    owner.ask("PUT", f"/label-schemas/{schema.slug}/auto-accept", setting)
    accept_sure(schema.pk)
    for label in Annotation.objects.filter(how="model").select_related("item"):
        assert regions(label.result) == directly(said, label.item.data["text"])[0] and label.support >= 0.5
    assert Annotation.objects.filter(how="model").exists()

    asked = owner.ask("POST", "/endpoints/citations/predict", {"instances": [{"text": "🙈 See RFC 2822."}, {"text": None}]})
    (one, none), (spans, _) = asked.json()["predictions"], directly(said, "🙈 See RFC 2822.")
    assert none == {"spans": [], "score": 1.0}
    assert [(s["label"], s["text"]) for s in one["spans"]] == [(label, text) for *_, label, text in spans] != []
    assert all("🙈 See RFC 2822."[s["start"] : s["end"]] == s["text"] for s in one["spans"]), "programs count characters"
    refused = owner.post("/endpoints/citations/predict", {"instances": [{"txt": "hello"}]}, 422)["error"]
    assert refused["problems"][0]["expected"] == "did you mean “text”?"


def test_files_of_text_are_marked_too_and_what_does_not_fit_is_named(owner: Person, said: LoadedModel) -> None:
    upload = Uploader(owner)
    archive = zipped({f"{n}.txt": text.encode() for n, text in enumerate(ASKED)})
    files = upload.ready(archive, "texts.zip", options={"freeze": True})["dataset"]
    schema = queue(owner, files, QUESTION.replace("$text", "$whatever"))
    owner.put(f"/label-schemas/{schema.slug}/suggestions/on-opening", {"model": "citations"})
    first = QueueItem.objects.get(schema=schema, key=f"{ASKED.index(LONG)}.txt")
    (one,) = owner.post(f"/label-schemas/{schema.slug}/items/{first.pk}/suggestions", None, 200)["suggestions"]
    assert regions(one["result"]) == directly(said, LONG)[0] != [], "one that is opened is asked about as all are"
    owner.post(f"/label-schemas/{schema.slug}/suggestions", {"model": "citations@1"}, 202)
    prelabel(schema.pk)
    found = {s.item.key: regions(s.result) for s in Suggestion.objects.select_related("item")}
    assert found == {f"{n}.txt": directly(said, text)[0] for n, text in enumerate(ASKED)}

    rows = b"id,text,note\n1,See RFC 822,a b c\n2,Nothing,d e f\n"
    other = upload.ready(rows, "notes.csv", options={"freeze": True})["dataset"]

    def refused(data: str, xml: str) -> str:
        error = owner.post(f"/label-schemas/{queue(owner, data, xml).slug}/suggestions", {"model": "citations@1"}, 409)["error"]
        return str(error["message"])

    assert "no <Labels> of this schema marks the text “text”" in refused(other, QUESTION.replace("$text", "$note"))
    assert "“standard” missing" in refused(other, QUESTION.replace('<Label value="standard"/>', ""))
    bare = upload.ready(b"id,note\n1,a b c\n2,d e f\n", "bare.csv", options={"freeze": True})["dataset"]
    assert "the data has no column “text”" in refused(bare, QUESTION.replace("$text", "$note"))
