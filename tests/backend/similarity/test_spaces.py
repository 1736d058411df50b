"""Embeddings and what lies near: computed once for each content, in every modality; words are found where a space knows any."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from backend.core.models import AuditEntry
from backend.similarity.actions.computing import compute
from backend.similarity.models import Space, Vector
from tests.backend.datasets.conftest import zipped
from tests.backend.labeling.conftest import Labs, choice, say, take
from tests.backend.people import Person, person
from tests.backend.similarity.conftest import DIGITS, digit, digits, embedded, truth

REVIEWS = [
    "The soup was hot and the bread fresh", "Fresh bread and a good soup", "Soup and bread for lunch again",
    "The bread was stale and the soup cold",
    "The train to Delft was late", "A late train and no seat on it", "The train left on time to Delft", "No seat on the train to Leiden",
    "My bicycle has a flat tyre", "The tyre of the bicycle is new", "A bicycle with a good tyre", "Flat tyre on my bicycle again",
]  # fmt: skip


def test_digits_lie_near_their_like_and_a_new_version_computes_only_what_is_new(labs: Labs, ann: Person) -> None:
    dataset = digits(labs, 150)
    where = f"/datasets/{dataset}/spaces"
    assert ann.ask("POST", where, {"embedder": "picture_shapes"}).status_code == 403
    told = embedded(labs.editor, dataset)
    assert (told["done"], told["fresh"], told["refused"], told["version"], told["behind"]) == (150, 150, 0, 1, False)
    rows = {v.digest: v for v in Vector.objects.all()}
    right = total = 0
    for one in list(rows.values())[:60]:
        near = ann.get(f"{where}/{told['id']}/near?like={one.digest}&limit=5")
        assert len(near) == 5 and one.digest not in [n["digest"] for n in near]
        assert [n["distance"] for n in near] == sorted(n["distance"] for n in near)
        right += sum(truth(n["key"]) == truth(one.key) for n in near)
        total += 5
    assert right / total > 0.85, "neighbours are of the same kind"

    files = {f"{n:04}.png": digit(n) for n in range(140, 160)}
    labs.upload.ready(zipped(files), "more.zip", options={"freeze": True}, dataset=dataset, mode="append")
    space = Space.objects.get()
    assert space.status == "queued", "a frozen version is embedded by itself"
    before = set(Vector.objects.values_list("id", flat=True))
    compute(space.pk)
    told = labs.editor.get(f"{where}/{space.pk}")
    assert (told["status"], told["done"], told["fresh"], told["version"]) == ("ready", 160, 10, 2)
    assert before < set(Vector.objects.values_list("id", flat=True))

    labs.upload.ready(
        zipped({f"{n:04}.png": digit(n) for n in range(20)}), "few.zip", options={"freeze": True}, dataset=dataset, mode="replace"
    )
    compute(space.pk)
    assert labs.editor.get(f"{where}/{space.pk}")["fresh"] == 0
    assert Vector.objects.filter(present=True).count() == 20 and Vector.objects.count() == 160, "what is computed stays"
    assert AuditEntry.objects.filter(action="space.compute").count() == 1


def test_what_is_stopped_goes_on_where_it_was(labs: Labs, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.similarity.actions import computing

    dataset = digits(labs, 60)
    made = labs.editor.post(f"/datasets/{dataset}/spaces", {"embedder": "picture_shapes"}, 202)
    monkeypatch.setattr(computing, "BATCH", 25)
    embed, batches = computing._embed, []

    def stops(space: Space, *rest: Any) -> None:
        embed(space, *rest)
        batches.append(1)
        if len(batches) == 1:
            labs.editor.post(f"/datasets/{dataset}/spaces/{space.pk}/cancel", None, 200)

    monkeypatch.setattr(computing, "_embed", stops)
    space = Space.objects.get(pk=made["id"])
    compute(space.pk)
    space.refresh_from_db()
    assert (space.status, space.done, Vector.objects.count()) == ("cancelled", 25, 25)
    labs.editor.post(f"/datasets/{dataset}/spaces", {"embedder": "picture_shapes"}, 202)
    compute(space.pk)
    space.refresh_from_db()
    assert (space.status, space.done, space.fresh) == ("ready", 60, 35)


def test_texts_are_found_by_words_and_by_each_other(labs: Labs, ann: Person) -> None:
    texts = {f"{n:02}.txt": text.encode() for n, text in enumerate(REVIEWS)}
    dataset = labs.upload.ready(zipped(texts), "notes.zip", options={"freeze": True}, name="Notes")["dataset"]
    told = embedded(labs.editor, dataset, embedder="text_terms")
    where = f"/datasets/{dataset}/spaces/{told['id']}/near"
    near = ann.get(f"{where}?text=flat tyre&limit=4")
    assert {n["key"] for n in near} == {"08.txt", "09.txt", "10.txt", "11.txt"} and "tyre" in near[0]["shown"]["text"]
    refused = ann.ask("GET", f"{where}?text=zeppelin")
    assert refused.status_code == 409 and "None of these words" in refused.json()["error"]["message"]

    rows = "id,review,stars,mood\n" + "".join(f'{n},"{text}",{n % 5},{"good" if n % 2 else "bad"}\n' for n, text in enumerate(REVIEWS))
    table = labs.upload.ready(rows.encode(), "reviews.csv", options={"freeze": True, "label_column": "mood"}, name="Reviews")["dataset"]
    words = embedded(labs.editor, table, embedder="text_terms", column="review")
    near = ann.get(f"/datasets/{table}/spaces/{words['id']}/near?text=train&limit=4")
    assert all("train" in n["shown"]["review"] for n in near)
    values = embedded(labs.editor, table, embedder="row_values")
    assert "mood" not in Vector.objects.filter(space=values["id"]).first().shown, "labels are not what makes rows alike"
    refused = ann.ask("GET", f"/datasets/{table}/spaces/{values['id']}/near?text=train")
    assert refused.status_code == 409 and "column of text" in refused.json()["error"]["message"]


def test_neighbours_tell_only_labels_that_are_seen_anyway(labs: Labs, ann: Person, bob: Person, rita: Person, project: Any) -> None:
    dataset = digits(labs, 40)
    slug = labs.schema(dataset, DIGITS, overlap=2, together="blind", review_share=0.0)
    told = embedded(labs.editor, dataset)
    for _ in range(12):
        item = take(ann, slug)
        assert item
        say(ann, slug, item["id"], [choice(truth(item["key"]))])
    whole = f"/datasets/{dataset}/spaces/{told['id']}/near?like={Vector.objects.earliest('id').digest}&label_schema={slug}&limit=100"
    labelled = [n for n in ann.get(whole) if n["labelled"]]
    assert len(labelled) in (11, 12) and all(n["label"] == truth(n["key"]) and n["mine"] for n in labelled)
    for other in (bob, rita, person(project, "viewer", "vic@lab.example")):
        assert not any(n["labelled"] for n in other.get(whole)), "the schema is blind and no item is complete"
    assert {n["digest"] for n in ann.get(f"{whole}&state=mine")} == {n["digest"] for n in labelled}
    assert len(ann.get(f"{whole}&state=unlabelled")) + len(labelled) == 39
    one = labelled[0]["label"]
    assert {n["label"] for n in ann.get(f"{whole}&label={one}")} == {one}

    for _ in range(12):
        item = take(bob, slug)
        assert item
        say(bob, slug, item["id"], [choice(truth(item["key"]))])
    assert sum(n["labelled"] for n in rita.get(whole)) >= 1, "complete items are seen by reviewers"


@pytest.mark.slow
def test_many_vectors_are_indexed_and_filters_do_not_leave_the_list_short(
    transactional_db: None, labs: Labs, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.similarity.actions import computing

    monkeypatch.setattr(computing, "INDEX_FROM", 100)
    dataset = digits(labs, 300)
    slug = labs.schema(dataset, DIGITS, review_share=0.0)
    told = embedded(labs.editor, dataset)
    assert told["indexed"]
    digest = Vector.objects.earliest("id").digest
    for _ in range(20):
        item = take(ann, slug)
        assert item
        say(ann, slug, item["id"], [choice(truth(item["key"]))])
    where = f"/datasets/{dataset}/spaces/{told['id']}/near?like={digest}&label_schema={slug}"
    assert len(ann.get(f"{where}&state=labelled&limit=20")) == 19
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        kind = f"vector({told['dimension']})"
        cursor.execute(
            f"EXPLAIN SELECT id FROM similarity_vector WHERE space_id = '{told['id']}'"
            f" ORDER BY vector::{kind} <=> (SELECT vector FROM similarity_vector LIMIT 1)::{kind} LIMIT 5"
        )
        assert "similarity_near_" in str(cursor.fetchall()), "the partial index serves the search"
    labs.editor.ask("DELETE", f"/datasets/{dataset}/spaces/{told['id']}")
    assert not Vector.objects.exists()


def test_a_database_without_pgvector_keeps_everything_else(labs: Labs, ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.similarity import pgvector
    from backend.similarity.errors import PgvectorMissing

    def missing() -> None:
        raise PgvectorMissing

    monkeypatch.setattr(pgvector, "there", lambda: False)
    monkeypatch.setattr(pgvector, "prepare", missing)
    dataset = digits(labs, 5)
    told = ann.get(f"/datasets/{dataset}/spaces")
    assert "CREATE EXTENSION vector" in told["unavailable"]
    refused = labs.editor.ask("POST", f"/datasets/{dataset}/spaces", {"embedder": "picture_shapes"})
    assert refused.status_code == 409 and "superuser" in refused.json()["error"]["message"]
    slug = labs.schema(dataset, DIGITS)
    assert take(ann, slug) is not None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"embedder": "text_terms"}, "embedder"),
        ({"embedder": "nothing"}, "embedder"),
        ({"embedder": "picture_model"}, "model"),
        ({"embedder": "picture_model", "model": "none@1"}, "model"),
        ({"embedder": "picture_checkpoint", "checkpoint": "../../etc"}, "checkpoint"),
        ({"embedder": "picture_checkpoint", "checkpoint": "/etc/passwd"}, "checkpoint"),
        ({"embedder": "picture_shapes", "column": "x"}, "column"),
    ],
)
def test_what_cannot_be_computed_names_the_field(labs: Labs, body: dict[str, Any], field: str) -> None:
    dataset = digits(labs, 3)
    answer = labs.editor.ask("POST", f"/datasets/{dataset}/spaces", body)
    assert answer.status_code in (404, 422), answer.content
    error = answer.json()["error"]
    assert field in (error["field"], *[p["field"] for p in error["problems"]]), error
    assert not Space.objects.exists()
