"""What becomes of suggestions: kept or not by people, and, where a model is sure, labels without them, checked by an unnoticed audit."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from backend.core.models import AuditEntry
from backend.datasets.models import Item
from backend.labeling.actions.auto_accept import accept_sure
from backend.labeling.actions.labelled import run_labelled
from backend.labeling.models import Annotation, AutoPass, HeldBack, LabelledVersion, LabelSchema, QueueItem, Suggestion
from tests.backend.labeling.conftest import Labs, choice, say, take
from tests.backend.people import Person

KINDS = (
    '<View><Image name="image" value="$image"/><Choices name="kind" toName="image" required="true"><Choice value="cat"/>'
    '<Choice value="dog"/></Choices></View>'
)
SETTING = {"enabled": True, "threshold": 0.9, "audit_share": 0.1, "max_error": 0.05}


def suggest(slug: str, scores: list[float], model: str = "pets@1", kind: str = "cat") -> None:
    """A suggestion for each item, in the order of the data set."""
    items = QueueItem.objects.filter(schema__slug=slug).order_by("position")
    Suggestion.objects.bulk_create(
        [Suggestion(item=item, model_version=model, score=score, result=[choice(kind)]) for item, score in zip(items, scores, strict=False)]
    )


def passed(slug: str) -> None:
    accept_sure(LabelSchema.objects.get(slug=slug).pk)


def test_what_people_make_of_suggestions_is_counted_for_each_model_version(labs: Labs, ann: Person, rita: Person) -> None:
    slug = labs.schema(labs.pictures(5), KINDS, review_share=0.0)
    suggest(slug, [0.9] * 4)
    where = f"/label-schemas/{slug}/suggestions/outcomes"
    assert ann.get(where) == []
    said = []
    for kind in ("cat", "cat", "dog", "cat", "dog"):  # the fifth has no suggestion
        item = take(ann, slug)
        assert item
        said.append((item["id"], say(ann, slug, item["id"], [choice(kind)])))
    assert rita.get(where) == [{"model_version": "pets@1", "accepted": 3, "adjusted": 0, "rejected": 1, "total": 4}]
    item, first = said[0]
    say(ann, slug, item, [choice("dog")], id=first["id"], version=1)
    assert rita.get(where) == [{"model_version": "pets@1", "accepted": 2, "adjusted": 0, "rejected": 2, "total": 4}], "a change counts anew"
    assert labs.editor.get(f"/label-schemas/{slug}/auto-accept")["enabled"] is False, "nothing is accepted unless somebody wants it"


def test_what_a_model_is_sure_of_becomes_a_label_but_for_an_audit_that_looks_like_the_rest(labs: Labs, ann: Person, rita: Person) -> None:
    slug = labs.schema(labs.pictures(60), KINDS, review_share=0.0)
    labs.editor.ask("PATCH", f"/label-schemas/{slug}", {"order": "uncertain"})
    held = take(ann, slug)
    assert held
    suggest(slug, [0.99] * 40 + [0.5 + n / 100 for n in range(18)] + [float("nan"), 7.0])
    where = f"/label-schemas/{slug}/auto-accept"
    assert rita.ask("PUT", where, SETTING).status_code == 403
    told = labs.editor.ask("PUT", where, SETTING).json()
    assert told["eligible"] == 39, "not what somebody holds, nor a score that is no probability"
    passed(slug)
    told = rita.get(where)
    (made,) = told["passes"]
    assert (told["status"], made["accepted"], made["audited"], told["labels"], told["audit"]["waiting"]) == ("ready", 35, 4, 35, 4)
    labels = Annotation.objects.filter(schema__slug=slug, how="model")
    assert {(a.author, a.status, a.support) for a in labels} == {(None, "accepted", 0.99)}
    items = QueueItem.objects.filter(schema__slug=slug)
    assert items.filter(truth__in=labels, done=F("wanted"), free=0).count() == 35
    progress = labs.editor.get(f"/label-schemas/{slug}")["progress"]
    assert (progress["truths"], progress["complete"]) == (35, 35)
    sample = set(HeldBack.objects.filter(part="audit").values_list("item", flat=True))
    decoys = set(HeldBack.objects.filter(part="decoy").values_list("item", flat=True))
    assert (len(sample), len(decoys)) == (4, 4)
    bare, shown = 0, set()
    for _ in range(25):
        item = take(ann, slug)
        if item is None:
            break
        bare += not item["suggestions"]
        shown.add(item["id"])
        assert bool(item["suggestions"]) == (item["id"] not in sample | decoys)
        say(ann, slug, item["id"], [choice("cat")])
    assert sample <= shown, "the audit comes with the rest and not at the end"
    assert bare == 8
    audit = rita.get(where)["audit"]
    assert (audit["judged"], audit["errors"], audit["waiting"], audit["low"]) == (4, 0, 0, 0.0) and 0.4 < audit["high"] < 0.6
    labs.editor.post(f"/label-schemas/{slug}/labelled", {"note": ""}, 202)
    run_labelled(LabelledVersion.objects.get().pk)
    version = labs.editor.get(f"/label-schemas/{slug}/labelled")[0]
    assert version["status"] == "ready", version
    by = [i.data["annotations"] for i in Item.objects.filter(removed_in=None) if "annotations" in i.data]
    assert sum(b["how"] == "model" and b["by"] == "model: pets@1" and b["support"] == 0.99 for b in by) == 35


def test_it_stops_when_the_audit_finds_too_many_wrong_and_a_pass_can_be_taken_back(labs: Labs, ann: Person, rita: Person) -> None:
    slug = labs.schema(labs.pictures(40), KINDS, review_share=0.0)
    suggest(slug, [0.95] * 36)
    where = f"/label-schemas/{slug}/auto-accept"
    labs.editor.ask("PUT", where, {**SETTING, "audit_share": 0.25})
    passed(slug)
    assert rita.get(where)["audit"]["waiting"] == 9
    while (told := rita.get(where))["enabled"]:
        item = take(ann, slug)
        assert item, "it never stopped"
        say(ann, slug, item["id"], [choice("dog")])
    assert "wrong" in told["stopped"] and told["audit"]["low"] > 0.05 and told["audit"]["errors"] < 9
    assert AuditEntry.objects.filter(action="label_schema.stop_auto_accept").count() == 1
    suggest(slug, [0.99] * 40, "pets@2")
    passed(slug)
    assert len(rita.get(where)["passes"]) == 1, "what is stopped labels nothing more"
    confirmed = Annotation.objects.filter(how="model").first()
    assert confirmed
    rita.post(f"/label-schemas/{slug}/items/{confirmed.item_id}/truth", {"annotation": str(confirmed.pk), "comment": ""}, 200)
    (made,) = told["passes"]
    undo: Any = f"{where}/passes/{made['id']}/undo"
    rita.post(undo, None, 403)
    after = labs.editor.post(undo, None, 200)
    assert after["labels"] == 1 and after["passes"][0]["undone_at"] and not HeldBack.objects.exists()
    items = QueueItem.objects.filter(schema__slug=slug)
    people = Annotation.objects.filter(how="").count()
    assert items.filter(free=1, done=0, truth=None).count() == 40 - people - 1, "what a person confirmed stays"
    labs.editor.post(undo, None, 409)
    assert AutoPass.objects.filter(undone_at=None).count() == 0
