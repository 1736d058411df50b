"""What a team does with what lies near: many labelled at once and undone as one, duplicates set aside, wrong labels found, orders made."""

from __future__ import annotations

import io
import random
import uuid
from typing import Any

import numpy as np
from django.db.models import F
from PIL import Image

from backend.core.models import AuditEntry
from backend.labeling.actions.fill import fill
from backend.labeling.models import Annotation, LabelSchema, Lease, QueueItem
from backend.similarity.actions.doubting import check
from backend.similarity.actions.ordering import arrange
from backend.similarity.models import Doubt
from tests.backend.labeling.conftest import WORDS, Labs, choice, say, take
from tests.backend.people import Person
from tests.backend.similarity.conftest import DIGITS, digits, embedded, scanned, truth

CHOICE = {"from_name": "kind", "to_name": "image", "type": "choices"}


def zero(value: str = "0") -> list[dict[str, Any]]:
    return [{**CHOICE, "id": "a", "value": {"choices": [value]}}]


def places_add_up(schema: LabelSchema) -> bool:
    for item in QueueItem.objects.filter(schema=schema):
        leased = Lease.objects.filter(item=item, honeypot=False).count()
        if item.wanted != item.done + item.free + leased:
            return False
    return True


def test_many_are_labelled_by_the_rules_of_one_and_undone_as_one(labs: Labs, ann: Person, bob: Person) -> None:
    dataset = digits(labs, 30)
    slug = labs.schema(dataset, DIGITS, review_share=0.0)
    schema = LabelSchema.objects.get(slug=slug)
    where = f"/label-schemas/{slug}"
    mine, held = take(ann, slug), take(bob, slug)
    assert mine and held
    say(ann, slug, mine["id"], [choice(truth(mine["key"]))])
    rest = list(QueueItem.objects.exclude(pk__in=[mine["id"], held["id"]]).order_by("pk").values_list("pk", flat=True))
    bobs = rest[:3]
    labs.editor.post(f"{where}/assignments", {"name": "For Bob", "people": [str(bob.user.pk)], "items": bobs})
    assert set(QueueItem.objects.filter(assignment__name="For Bob").values_list("pk", flat=True)) == set(bobs)
    asked = [mine["id"], held["id"], *rest[:10], 987654321]
    body = {"items": asked, "schema_version": 1, "result": zero(), "seconds": 20.0}
    made = ann.post(f"{where}/bulks", body)
    why = {one["item"]: one["why"] for one in made["refused"]}
    assert made["count"] == 7 and set(why) == {mine["id"], held["id"], *bobs, 987654321}
    assert "already" in why[mine["id"]] and "For Bob" in why[bobs[0]] and "not in this queue" in why[987654321]
    assert Annotation.objects.filter(author=ann.user).count() == 8 and places_add_up(schema)
    assert QueueItem.objects.filter(pk__in=rest[3:10], truth__isnull=False).count() == 7, "each is settled as a single one"
    assert AuditEntry.objects.filter(action="annotation.bulk").count() == 1

    for wrong, field in (
        ({**body, "result": zero("eleven")}, "result"), ({**body, "result": []}, "kind"), ({**body, "items": []}, "items"),
        ({**body, "schema_version": 2}, "schema_version"), ({**body, "items": ["x"]}, "items"),
    ):  # fmt: skip
        answer = ann.ask("POST", f"{where}/bulks", wrong)
        told = answer.json()["error"]
        assert answer.status_code in (400, 409, 422) and field in str([told["field"], told["problems"]]), told
    assert bob.ask("POST", f"{where}/bulks/{made['id']}/undo").status_code == 403, "it is Ann's"
    Annotation.objects.filter(item=rest[3]).update(status="accepted")
    assert ann.post(f"{where}/bulks/{made['id']}/undo", None, 200) == {"undone": 6, "kept": 1}
    assert Annotation.objects.filter(author=ann.user).count() == 2 and places_add_up(schema)
    assert ann.ask("POST", f"{where}/bulks/{made['id']}/undo").status_code in (400, 409)
    assert [b["count"] for b in ann.get(f"{where}/bulks")] == [7] and bob.get(f"{where}/bulks") == [], "a blind schema tells only one's own"


def test_probable_errors_are_found_ranked_decided_and_not_shown_again(labs: Labs, ann: Person, rita: Person) -> None:
    count = 600
    dataset = digits(labs, count)
    slug = labs.schema(dataset, DIGITS, review_share=0.0)
    schema = LabelSchema.objects.get(slug=slug)
    embedded(labs.editor, dataset)
    where = f"/label-schemas/{slug}/doubts"
    items = list(QueueItem.objects.filter(schema=schema).order_by("pk"))
    chance = random.Random(5)
    flipped = {item.pk for item in chance.sample(items, count // 20)}
    wordings = schema.versions.get()
    rows = []
    for item in items:
        right = truth(item.key)
        said = str((int(right) + chance.randint(1, 9)) % 10) if item.pk in flipped else right
        rows.append(Annotation(item=item, schema=schema, schema_version=wordings, author=ann.user, result=[choice(said)]))
    Annotation.objects.bulk_create(rows)
    for row in rows:
        row.item.truth = row
    QueueItem.objects.bulk_update(items, ["truth"])
    QueueItem.objects.update(done=1, free=0, truth=F("truth"))

    assert ann.ask("POST", where, {}).status_code == 403
    assert rita.post(where, {}, 202)["check"]["status"] == "queued"
    check(schema.pk)
    told = rita.get(where)
    assert told["check"]["status"] == "ready", told["check"]["message"]
    found = rita.get(f"{where}/list?limit=200")
    assert [d["score"] for d in found] == sorted(d["score"] for d in found)
    hits = [d["item"] in flipped for d in found]
    precision = sum(hits[: len(flipped)]) / min(len(flipped), len(hits))
    recall = sum(hits) / len(flipped)
    assert precision >= 0.8 and recall >= 0.8, (precision, recall, told["check"])
    right = [d["suggested"] == truth(d["key"]) for d, hit in zip(found, hits, strict=True) if hit]
    assert sum(right) / len(right) > 0.85
    assert abs(told["check"]["expected"] - len(flipped)) <= len(flipped) / 2

    keep, relabel, other, review = found[:4]
    assert rita.post(f"{where}/{keep['id']}", {"decision": "kept"}, 200)["decision"] == "kept"
    assert rita.post(f"{where}/{relabel['id']}", {"decision": "relabelled"}, 200)["label"] == relabel["suggested"]
    rita.post(f"{where}/{other['id']}", {"decision": "relabelled", "label": "3"}, 200)
    rita.post(f"{where}/{review['id']}", {"decision": "review"}, 200)
    said = {a.pk: a.result[0]["value"]["choices"][0] for a in Annotation.objects.filter(schema=schema)}
    assert said[uuid.UUID(relabel["annotation"])] == relabel["suggested"] and said[uuid.UUID(other["annotation"])] == "3"
    assert Annotation.objects.get(pk=review["annotation"]).to_review and QueueItem.objects.get(pk=review["item"]).truth_id is None
    assert rita.ask("POST", f"{where}/{keep['id']}", {"decision": "review"}).status_code in (400, 409)
    assert rita.ask("POST", f"{where}/{found[5]['id']}", {"decision": "relabelled", "label": "eleven"}).status_code == 422
    assert not {keep["id"], relabel["id"], other["id"], review["id"]} & {d["id"] for d in rita.get(f"{where}/list?limit=200")}

    rita.post(where, {}, 202)
    check(schema.pk)
    assert keep["item"] not in {d["item"] for d in rita.get(f"{where}/list?limit=200")}, "what was kept is not asked again"
    assert [d["decision"] for d in rita.get(f"{where}/list?decided=true")] == ["review", "relabelled", "relabelled", "kept"]
    assert Doubt.objects.filter(decision="kept").count() == 1


def test_errors_are_not_offered_where_there_is_no_single_choice(labs: Labs, rita: Person) -> None:
    dataset = digits(labs, 8)
    boxes = (
        '<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="A"/></RectangleLabels></View>'
    )
    slug = labs.schema(dataset, boxes)
    assert rita.ask("POST", f"/label-schemas/{slug}/doubts", {}).status_code == 409, "nothing is embedded"
    embedded(labs.editor, dataset)
    answer = rita.ask("POST", f"/label-schemas/{slug}/doubts", {})
    assert answer.status_code == 409 or answer.status_code == 400
    assert "not offered" in answer.json()["error"]["message"]
    assert rita.get(f"/label-schemas/{slug}/doubts")["question"] is None


def test_duplicates_are_grouped_set_aside_and_brought_back(labs: Labs, ann: Person) -> None:
    def nearly(n: int) -> bytes:
        file = io.BytesIO()
        pixels = np.asarray(Image.fromarray((scanned()[0][n] * 15.9).astype(np.uint8)).resize((32, 32))).copy()
        pixels[0, 0] = 9
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()

    from tests.backend.similarity.conftest import digit

    dataset = digits(labs, 40, same=digit(3), near=nearly(7))
    slug = labs.schema(dataset, DIGITS, review_share=0.0)
    schema = LabelSchema.objects.get(slug=slug)
    embedded(labs.editor, dataset)
    where = f"/label-schemas/{slug}"
    exact = ann.get(f"{where}/duplicates?distance=0")
    (group,) = exact["groups"]
    assert {i["key"] for i in group["items"]} == {"0003.png", "same.png"} and (exact["total"], exact["spare"]) == (1, 1)
    both = ann.get(f"{where}/duplicates?distance=0.002")
    assert {frozenset(i["key"] for i in g["items"]) for g in both["groups"]} >= {frozenset({"0007.png", "near.png"})}
    spare = [i["item"] for i in group["items"]][1:]
    assert ann.ask("POST", f"{where}/aside", {"items": spare}).status_code == 403
    made = labs.editor.post(f"{where}/aside", {"items": spare})
    assert made["count"] == 1 and ann.get(f"{where}/duplicates?distance=0")["total"] == 0
    LabelSchema.objects.update(fill_status="queued")
    fill(schema.pk)
    assert QueueItem.objects.get(pk=spare[0]).removed, "filling the queue leaves it out"
    assert labs.editor.ask("POST", f"{where}/aside", {"items": spare}).status_code == 422
    assert labs.editor.post(f"{where}/bulks/{made['id']}/undo", None, 200) == {"undone": 1, "kept": 0}
    assert ann.get(f"{where}/duplicates?distance=0")["total"] == 1


def test_the_map_has_every_point_and_clusters_hold_their_like(labs: Labs, ann: Person) -> None:
    dataset = digits(labs, 200)
    slug = labs.schema(dataset, DIGITS, review_share=0.0)
    told = embedded(labs.editor, dataset)
    where = f"/datasets/{dataset}/spaces/{told['id']}"
    found = ann.get(f"{where}/points?label_schema={slug}&by=cluster")
    assert {len(found[name]) for name in ("ids", "x", "y", "items", "values")} == {200}
    assert len(found["names"]) == told["clusters"] >= 2 and all(found["items"])
    clusters = ann.get(f"{where}/clusters?label_schema={slug}")
    assert sum(c["size"] for c in clusters) == 200 and all(c["typical"] for c in clusters)
    whole = ann.post(f"{where}/items?label_schema={slug}", {"cluster": 0}, 200)
    assert len(whole) == clusters[0]["size"]
    say(ann, slug, item["id"], [choice("4")]) if (item := take(ann, slug)) else None
    labels = ann.get(f"{where}/points?label_schema={slug}&by=label")
    assert labels["names"] == ["4"] and sum(v >= 0 for v in labels["values"]) == 1
    assert ann.ask("GET", f"{where}/points?by=colour").status_code == 422


def test_a_queue_begins_with_what_differs_most_or_with_the_highest_number(labs: Labs, ann: Person) -> None:
    dataset = digits(labs, 120)
    slug = labs.schema(dataset, DIGITS, review_share=0.0)
    schema = LabelSchema.objects.get(slug=slug)
    where = f"/label-schemas/{slug}/order"
    refused = labs.editor.ask("PUT", where, {"order": "diverse"})
    assert refused.status_code == 409 and "Explore" in refused.json()["error"]["hint"]
    embedded(labs.editor, dataset)
    assert labs.editor.put(where, {"order": "diverse"})["status"] == "queued"
    arrange(schema.pk)
    assert ann.get(where)["status"] == "ready"
    first = [truth(key) for key in QueueItem.objects.order_by("rank").values_list("key", flat=True)[:25]]
    assert len(set(first)) >= 8, "the first show nearly every kind"

    rows = "id,review,stars\n" + "".join(f"{n},text {n},{'' if n == 4 else n * 7 % 10}\n" for n in range(10))
    table = labs.upload.ready(rows.encode(), "stars.csv", options={"freeze": True}, name="Stars")["dataset"]
    stars = labs.schema(table, WORDS, name="Stars")
    where = f"/label-schemas/{stars}/order"
    assert ann.get(where)["columns"] == ["id", "stars"]
    answer = labs.editor.ask("PUT", where, {"order": "value", "column": "review"})
    assert answer.status_code == 422 and answer.json()["error"]["field"] == "column"
    assert labs.editor.ask("PATCH", f"/label-schemas/{stars}", {"order": "value"}).status_code == 422
    labs.editor.put(where, {"order": "value", "column": "stars"})
    chosen = LabelSchema.objects.get(slug=stars)
    arrange(chosen.pk)
    in_order = list(chosen.items.order_by("rank").values_list("data__review", flat=True))
    assert in_order[:3] == ["text 7", "text 1", "text 2"] or in_order[0] == "text 7", in_order
    assert in_order[-1] == "text 4", "what has no number comes last"
    labs.editor.put(where, {"order": "value", "column": "stars", "descending": False})
    arrange(chosen.pk)
    assert chosen.items.order_by("rank").first().data["review"] == "text 0"
