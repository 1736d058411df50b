"""Ground truth by consensus, honeypots that nobody can tell, and figures that say who differs where."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from backend.artifacts import tables
from backend.datasets.models import DatasetVersion
from backend.labeling.actions import measure as measuring
from backend.labeling.actions.labelled import run_labelled
from backend.labeling.actions.measure import measure
from backend.labeling.models import Annotation, HoneypotScore, LabelSchema, Lease, Measurement, Pause, QueueItem
from tests.backend.labeling.conftest import Labs, box, choice, measured, say, take
from tests.backend.people import Person, person

SETTINGS = {"truth_by": "majority", "enough": 0.6, "honeypot_share": 0.0, "pause_below": None}


def everybody(labs: Labs, slug: str, answers: dict[str, list[str]]) -> list[int]:
    """People who label the first items in turn; each answer is a choice."""
    items: list[int] = []
    for name, said in answers.items():
        who = person(labs.editor.project, "annotator", f"{name}@lab.example")
        items = []
        for answer in said:
            work = take(who, slug)
            assert work
            say(who, slug, work["id"], [choice(answer)])
            items.append(work["id"])
    return items


def truth(item: int) -> Annotation | None:
    return QueueItem.objects.select_related("truth").get(pk=item).truth


def test_a_majority_is_the_truth_and_below_the_support_a_person_decides(labs: Labs, ann: Person, bob: Person, rita: Person) -> None:
    pets = labs.pictures(2)
    slug = labs.schema(pets, overlap=3, review_share=0)
    labs.editor.put(f"/label-schemas/{slug}/quality/settings", SETTINGS)
    cy = person(labs.editor.project, "annotator", "cy@lab.example")
    for who, kind, x in ((ann, "cat", 10), (bob, "cat", 12), (cy, "dog", 11)):
        one = take(who, slug)
        assert one
        say(who, slug, one["id"], [choice(kind), box(x, 10, 20, 20)])
        two = take(who, slug)
        assert two
        say(who, slug, two["id"], [choice(kind), *([box(30 * (x - 10), 0, 20, 20)] if kind == "cat" else [])])
    found = truth(one["id"])
    assert found is not None and (found.author, found.how, found.support) == (None, "majority", pytest.approx(2 / 3))
    assert [r["value"].get("choices") or r["value"]["x"] for r in found.result] == [["cat"], 11]
    assert truth(two["id"]) is None, "three people saw three different things"
    assert [i["id"] for i in rita.get(f"/label-schemas/{slug}/items?state=differing")["items"]] == [two["id"]]
    said = rita.get(f"/label-schemas/{slug}/items/{two['id']}/annotations")
    proposed = next(a for a in said if a["how"])
    assert proposed["author"] is None and proposed["support"] < 0.6 and len(said) == 4
    rita.post(f"/label-schemas/{slug}/items/{two['id']}/truth", {"annotation": proposed["id"]}, 200)
    changed = say(bob, slug, one["id"], [choice("cat"), box(12, 10, 20, 20)], version=1)
    assert changed["outcome"] == "changed" and Annotation.objects.exclude(how="").count() == 2

    made = labs.editor.post(f"/label-schemas/{slug}/labelled", {}, 202)
    run_labelled(made["id"])
    rows = tables.take(DatasetVersion.objects.get(number=2).data, [0, 1]).to_pylist()
    assert "majority" in rows[0]["annotations"] and "adjudicated" in rows[1]["annotations"], "how each came about is in the data"

    labs.editor.put(f"/label-schemas/{slug}/quality/settings", {**SETTINGS, "truth_by": "agree", "enough": 0.8})
    measure(LabelSchema.objects.get(slug=slug).pk)
    assert truth(one["id"]) is None and str(truth(two["id"]).pk) == proposed["id"], "what a person decided stays"  # type: ignore[union-attr]  # it has one


def test_what_is_set_while_it_is_measured_is_applied_as_well(labs: Labs, ann: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    slug = labs.schema(labs.pictures(1), overlap=2, review_share=0)
    for who in (ann, bob):
        one = take(who, slug)
        assert one
        say(who, slug, one["id"], [choice("cat"), box(10, 10, 20, 20)])
    assert truth(one["id"]) and not truth(one["id"]).how  # type: ignore[union-attr]  # it has one
    people, asked = measuring.people, []

    def meanwhile(*given: Any) -> Any:
        if not asked:
            asked.append(labs.editor.put(f"/label-schemas/{slug}/quality/settings", SETTINGS))
        return people(*given)

    monkeypatch.setattr(measuring, "people", meanwhile)
    schema = LabelSchema.objects.get(slug=slug)
    with transaction.atomic():
        measuring.measure_soon(schema)
    measuring.measure(schema.pk)
    assert asked and Measurement.objects.get(schema=schema).status == "ready"
    assert truth(one["id"]).how == "majority", "the new way to the truth was lost"  # type: ignore[union-attr]  # it has one


def test_skill_is_learnt_from_the_crowd_and_turns_the_truth(labs: Labs, rita: Person) -> None:
    slug = labs.schema(labs.pictures(14), overlap=3, review_share=0)
    labs.editor.put(f"/label-schemas/{slug}/quality/settings", {**SETTINGS, "truth_by": "skill"})
    right = ["cat", "dog"] * 7
    wrong = ["dog" if n % 3 else a for n, a in enumerate(right)]
    items = everybody(labs, slug, {"good": right, "also": [*right[:12], "dog", "dog"], "bad": wrong})
    told = measured(rita, slug)
    skills = {u["email"][:3]: next(p["skills"]["kind"] for p in told["people"] if p["person"] == u["id"]) for u in told["users"]}
    assert skills["goo"] > 0.9 > skills["bad"] and told["controls"][0]["fleiss"] is not None
    assert all((t := truth(i)) is not None and t.how == "skill" and t.support is not None for i in items)
    assert [truth(i).result[0]["value"]["choices"][0] for i in items[:12]] == right[:12]  # type: ignore[union-attr]  # as asserted
    before = {a.pk: a.version for a in Annotation.objects.exclude(how="")}
    measured(rita, slug)
    assert {a.pk: a.version for a in Annotation.objects.exclude(how="")} == before, "the same answers change nothing"


def test_nobody_can_tell_a_honeypot_and_who_fails_is_paused(labs: Labs, ann: Person, bob: Person, rita: Person) -> None:
    slug = labs.schema(labs.pictures(20), review_share=1, order="random")
    path = f"/label-schemas/{slug}"
    known = []
    for _ in range(6):
        work = take(ann, slug)
        assert work
        say(ann, slug, work["id"], [choice("cat")])
        reviewed = rita.post(f"{path}/review/next", {}, 200)["work"]["annotation"]
        rita.post(f"{path}/annotations/{reviewed['id']}/review", {"verdict": "accepted", "version": 1}, 200)
        known.append(work["id"])
    assert labs.editor.post(f"{path}/quality/honeypots", {"number": 50}) == {"added": 6}
    sure = {"truth_by": "agree", "enough": 0.8, "honeypot_share": 0.5, "pause_below": 0.7}
    labs.editor.put(f"{path}/quality/settings", sure)
    assert labs.editor.ask("PATCH", path, {"order": "sequential"}).status_code == 422, "out of order it would be noticed"
    labs.editor.post(f"{path}/items/{known[0]}/comments", {"text": "A cat, says Rita."})

    def seen(work: Any) -> Any:
        return {k: v for k, v in work.items() if k not in ("id", "key", "position", "urls", "leased_until")}

    looks, progress, got = set(), [], []
    while len(HoneypotScore.objects.filter(user=bob.user)) < 6:
        answer = bob.ask("POST", f"{path}/next", {})
        if answer.status_code == 403:
            break
        work = answer.json()["item"]
        looks.add(str(seen(work)) + str(bob.get(f"{path}/items/{work['id']}/comments")))
        listed = next(i for i in bob.get(f"{path}/items")["items"] if i["id"] == work["id"])
        looks.add(str({k: v for k, v in listed.items() if k not in ("id", "key", "position", "leases")}))
        said = say(bob, slug, work["id"], [choice("dog")])
        mine = bob.get(f"{path}/items/{work['id']}")
        looks.add(str({k: v for k, v in seen(mine).items() if k != "mine"}))
        looks.add(str(sorted(said)) + str(sorted((k, str(v)) for k, v in mine["mine"].items() if k in ("status", "to_review", "how"))))
        progress.append(bob.get(path)["progress"]["done"])
        got.append(work["id"])
    assert len(looks) == 4, "before, in the list, after and the answer: each looks the same for all items"
    assert len(set(got)) == len(got) and len(set(got) & set(known)) == HoneypotScore.objects.count() >= 5
    assert progress == [min(7 + n, 20) for n in range(len(progress))], "each counts as one, until all places seem taken"
    assert QueueItem.objects.filter(pk__in=known, done=1, free=0).count() == 6, "beyond their places"
    assert Annotation.objects.filter(honeypot=True, to_review=True).count() == 0

    refused = bob.post(f"{path}/next", {}, 403)["error"]
    assert refused["code"] == "paused" and "70%" in refused["message"]
    assert [p["user"]["email"] for p in rita.get(f"{path}/quality")["pauses"]] == ["bob@lab.example"]
    told = measured(rita, slug)
    row = next(p for p in told["people"] if p["honeypots"])
    assert (row["person"], row["honeypot_score"]) == (str(bob.user.pk), 0)
    own = bob.get(f"{path}/quality")
    assert own["own"] and [p["honeypots"] for p in own["people"]] == [0] and own["pairs"] == []
    labs.editor.ask("DELETE", f"{path}/quality/pauses/{bob.user.pk}")
    assert take(bob, slug) is not None and not Pause.objects.filter(lifted_at=None).exists()


def test_a_held_honeypot_does_not_run_out_and_takes_nobodys_place(labs: Labs, ann: Person, bob: Person) -> None:
    slug = labs.schema(labs.pictures(2), review_share=0, order="random")
    path = f"/label-schemas/{slug}/quality"
    first = take(ann, slug)
    assert first
    say(ann, slug, first["id"], [choice("cat")])
    labs.editor.post(f"{path}/honeypots", {"items": [{"item": first["id"]}]})
    LabelSchema.objects.update(honeypot_share=1)
    held = take(bob, slug)
    assert held and held["id"] == first["id"]
    Lease.objects.update(until=timezone.now() - timedelta(days=1))
    again = take(bob, slug)
    assert again and again["id"] == first["id"]
    say(bob, slug, first["id"], [choice("cat")])
    item = QueueItem.objects.get(pk=first["id"])
    assert (item.done, item.free, item.wanted, truth(item.pk).author_id) == (1, 0, 1, ann.user.pk)  # type: ignore[union-attr]  # it has one
    assert HoneypotScore.objects.get().score == 1 and Annotation.objects.get(author=bob.user).honeypot
    export = f"/label-schemas/{slug}/export?format=jsonl&what=truth"
    told = bob.ask("GET", export)
    assert told.status_code == 403 and b"known answer" in told.content, "an export would say whose answer is the truth"
    assert labs.editor.ask("GET", export).status_code == 200
    labs.editor.ask("DELETE", f"{path}/honeypots/{first['id']}")
    assert labs.editor.get(f"{path}/honeypots")["items"] == []


def test_a_cell_of_the_confusion_opens_the_items_behind_it(labs: Labs, rita: Person) -> None:
    slug = labs.schema(labs.pictures(4), overlap=2, review_share=0)
    items = everybody(labs, slug, {"dee": ["cat", "cat", "dog", "dog"], "eve": ["cat", "dog", "cat", "dog"]})
    told = measured(rita, slug)
    assert {(c["label"], c["agreement"]) for c in told["labels"]} == {("cat", 0.5), ("dog", 0.5)}
    assert told["pairs"][0]["kappa"] == {"kind": 0} and told["now"] == told["annotations"] == 8
    dee = next(u["id"] for u in told["users"] if u["email"].startswith("dee"))
    path = f"/label-schemas/{slug}/quality/disagreements?control=kind"
    assert [d["item"] for d in rita.get(f"{path}&said=cat&other=dog")["items"]] == [items[1], items[2]]
    assert [d["item"] for d in rita.get(f"{path}&said=cat&other=dog&person={dee}")["items"]] == [items[1]]
    assert sum(w["annotations"] for w in told["timeline"]) == 8
