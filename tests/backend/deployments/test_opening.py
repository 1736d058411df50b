"""A model is asked when somebody opens an item: in the background, once, and only for those who may label it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from backend.artifacts.actions import create_artifact
from backend.artifacts.storage import store
from backend.core.errors import TooManyRequests
from backend.core.ids import new_id
from backend.core.models import AuditEntry
from backend.deployments import warm
from backend.deployments.models import Endpoint
from backend.deployments.opening import EACH, Turns
from backend.labeling.models import HeldBack, LabelSchema, Lease, QueueItem, Suggestion
from backend.registry.actions import register
from backend.registry.models import Alias, ModelVersion
from tests.backend.datasets.conftest import Uploader, image, zipped
from tests.backend.deployments.conftest import Predictor
from tests.backend.deployments.test_suggesting import LIGHT, QUESTION, ROWS, queue
from tests.backend.labeling.conftest import choice, say, take
from tests.backend.models import PARITY, flowers
from tests.backend.people import Person, person
from tests.workers.serving.models import brightness_model

TABLE = "note,length,width\n" + "".join(f"{n},{length},{width}\n" for n, length, width in ROWS)
Asked = list[tuple[str, int]]


@pytest.fixture(autouse=True)
def _store(transactional_db: None, settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_URL, settings.DATA_DIR = str(tmp_path / "artifacts"), tmp_path


@pytest.fixture
def ann(owner: Person) -> Person:
    return person(owner.project, "annotator", "ann@lab.example")


@pytest.fixture
def bob(owner: Person) -> Person:
    return person(owner.project, "annotator", "bob@lab.example")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """(What was asked, how many instances) of each question; the real one is asked."""
    found: Asked = []
    real = warm.ask

    def ask(whom: Any, user: Any, instances: Any) -> Any:
        answer = real(whom, user, instances)
        found.append((answer[1], len(instances)))
        return answer

    monkeypatch.setattr(warm, "ask", ask)
    return found


def flowers_of(owner: Person, folder: Path, *, offset: float = 0.0) -> ModelVersion:
    return register(owner.project, owner.user, "Flowers", flowers(owner.project, folder, offset=offset).digest)


def notes(owner: Person, xml: str = QUESTION) -> LabelSchema:
    table = Uploader(owner).ready(TABLE.encode(), "flowers.csv", options={"freeze": True})["dataset"]
    return queue(owner, table, xml)


def at(schema: LabelSchema) -> str:
    return f"/label-schemas/{schema.slug}/suggestions/on-opening"


def opened(who: Person, schema: LabelSchema, item: int, status: int = 200) -> Any:
    return who.post(f"/label-schemas/{schema.slug}/items/{item}/suggestions", None, status)


def note(name: str) -> QueueItem:
    found: QueueItem = QueueItem.objects.get(data__note=name)
    return found


def test_an_opened_item_is_asked_about_once_shown_as_any_suggestion_and_counted(
    owner: Person, ann: Person, bob: Person, asked: Asked, tmp_path: Path
) -> None:
    flowers_of(owner, tmp_path / "m")
    schema = notes(owner)
    owner.ask("PATCH", f"/label-schemas/{schema.slug}", {"overlap": 2})
    assert ann.get(at(schema)) == {"on_opening": None}
    first = take(ann, schema.slug)
    assert first
    assert opened(ann, schema, first["id"], 409)["error"]["code"] == "nobody_asked"
    told = owner.put(at(schema), {"model": "Flowers"})["on_opening"]
    assert (told["model"], told["answers"], told["problem"], told["set_by"]["email"]) == ("flowers", "flowers@1", "", owner.user.email)
    entry = AuditEntry.objects.get(action="label_schema.ask_on_opening")
    assert entry.details == {"endpoint": None, "model": "flowers"} and entry.actor == owner.user

    theirs = take(bob, schema.slug)
    assert theirs and theirs["id"] == first["id"]

    def both(who: Person) -> Any:
        try:
            return opened(who, schema, first["id"])["suggestions"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(both, (ann, bob)))
    assert asked == [("flowers@1", 1)], "two who open an item at once have the model asked once"
    (made,) = Suggestion.objects.all()
    assert said[0] == said[1] == ann.get(f"/label-schemas/{schema.slug}/items/{first['id']}")["suggestions"]
    (shown,) = said[0]
    assert (shown["model_version"], shown["result"][0]["value"], shown["score"]) == ("flowers@1", {"choices": ["setosa"]}, made.score)
    say(ann, schema.slug, first["id"], shown["result"])
    say(bob, schema.slug, first["id"], [choice("virginica", to="note")])
    (counted,) = owner.get(f"/label-schemas/{schema.slug}/suggestions/outcomes")
    assert (counted["model_version"], counted["accepted"], counted["rejected"]) == ("flowers@1", 1, 1)

    missing = note("d")
    opened(ann, schema, missing.pk)
    assert opened(ann, schema, missing.pk)["suggestions"] == [], "what it cannot answer has none, and is no error"
    assert owner.ask("DELETE", at(schema)).status_code == 204
    assert ann.get(at(schema)) == {"on_opening": None} and Suggestion.objects.count() == 1
    assert AuditEntry.objects.filter(action="label_schema.stop_ask_on_opening").count() == 1


def test_only_who_may_label_the_item_has_the_model_asked(owner: Person, ann: Person, bob: Person, asked: Asked, tmp_path: Path) -> None:
    flowers_of(owner, tmp_path / "m")
    schema = notes(owner)
    viewer = person(owner.project, "viewer")
    assert viewer.ask("PUT", at(schema), {"model": "flowers"}).status_code == 403
    assert ann.ask("PUT", at(schema), {"model": "flowers"}).status_code == 403
    owner.put(at(schema), {"model": "flowers"})
    assert viewer.get(at(schema))["on_opening"]["answers"] == "flowers@1"
    held = take(ann, schema.slug)
    assert held
    opened(viewer, schema, held["id"], 403)
    assert opened(bob, schema, held["id"], 403)["error"]["code"] == "not_yours_now", "Ann holds its only place"
    others = note("c")
    owner.post(f"/label-schemas/{schema.slug}/assignments", {"name": "Ann's", "people": [str(ann.user.pk)], "items": [others.pk]})
    assert opened(bob, schema, others.pk, 403)["error"]["code"] == "not_for_you"
    say(ann, schema.slug, held["id"], [choice("setosa", to="note")])
    assert opened(ann, schema, held["id"], 403)["error"]["code"] == "not_yours_now", "it is labelled"
    gone = note("d")
    QueueItem.objects.filter(pk=gone.pk).update(removed=True)
    assert opened(bob, schema, gone.pk, 409)["error"]["code"] == "item_removed"
    assert asked == [] and not Suggestion.objects.exists()
    assert opened(bob, schema, note("b").pk)["suggestions"], "without a lease, but with a free place: they could submit it"


def test_what_is_held_back_gets_nothing_and_looks_like_the_rest(owner: Person, ann: Person, asked: Asked, tmp_path: Path) -> None:
    flowers_of(owner, tmp_path / "m")
    schema = notes(owner)
    owner.put(at(schema), {"model": "flowers@1"})
    for part, name in (("test", "a"), ("audit", "b")):
        HeldBack.objects.create(item=note(name), schema=schema, part=part)
    for name in ("a", "b"):
        assert opened(ann, schema, note(name).pk) == {"suggestions": []}
    assert not Suggestion.objects.exists() and len(asked) == 2, "it takes as long as of any item, and fails where others fail"
    known = note("c")
    QueueItem.objects.filter(pk=known.pk).update(free=0, done=1)
    owner.post(
        f"/label-schemas/{schema.slug}/quality/honeypots",
        {"items": [{"item": known.pk, "result": [choice("virginica", to="note")]}]},
    )
    Lease.objects.create(item=known, schema=schema, user=ann.user, until=timezone.now() + timedelta(minutes=30), honeypot=True)
    assert opened(ann, schema, known.pk)["suggestions"], "a honeypot has one as all others: it would be noticed without"


def test_what_answers_is_looked_up_each_time_and_what_cannot_says_why(
    owner: Person, ann: Person, bob: Person, predictor: Predictor, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = flowers_of(owner, tmp_path / "m")
    upload = Uploader(owner)
    eye = create_artifact(owner.project, "Model", store().put_folder(brightness_model(tmp_path / "eye")))
    register(owner.project, owner.user, "Light", eye.digest, parity=PARITY)
    schema = notes(owner)
    owner.ask("PATCH", f"/label-schemas/{schema.slug}", {"order": "uncertain"})
    batch = f"/label-schemas/{schema.slug}/suggestions"
    for wrong in ({"model": "light"}, {"model": "light@champion"}, {"endpoint": "nowhere"}, {"model": "nothing"}, {}, {"model": "a@"}):
        refused, same = owner.ask("PUT", at(schema), wrong), owner.ask("POST", batch, wrong)
        assert refused.status_code >= 400 and refused.json() == same.json(), "as where all open items are asked about"

    owner.ask("PUT", "/models/flowers/aliases/champion", {"version": 1})
    owner.put(at(schema), {"model": "flowers@champion"})
    item = note("b")
    assert [s["model_version"] for s in opened(ann, schema, item.pk)["suggestions"]] == ["flowers@1"]
    item.refresh_from_db()
    assert item.rank == Suggestion.objects.get().score, "where the uncertain come first, it lies where its score says"
    second = flowers_of(owner, tmp_path / "m2", offset=2.0)
    assert opened(ann, schema, item.pk)["suggestions"][0]["model_version"] == "flowers@1" and len(asked) == 1
    owner.ask("PUT", "/models/flowers/aliases/champion", {"version": second.number})
    assert owner.get(at(schema))["on_opening"]["answers"] == "flowers@2"
    assert [s["model_version"] for s in opened(ann, schema, item.pk)["suggestions"]] == ["flowers@2"], "the newer takes the older's place"
    Alias.objects.all().delete()
    gone = opened(ann, schema, note("a").pk, 409)["error"]
    assert "“flowers@champion”" in gone["message"] and "no such version" in gone["message"] and "choose another" in gone["hint"]
    assert "no such version" in owner.get(at(schema))["on_opening"]["problem"]

    predictor.start()
    owner.post("/endpoints", {"model": f"flowers@{first.number}"})
    owner.put(at(schema), {"endpoint": "flowers"})
    assert owner.get(at(schema))["on_opening"]["answers"] == "flowers@1"
    assert opened(ann, schema, note("a").pk)["suggestions"][0]["model_version"] == "flowers: flowers@1"
    assert opened(ann, schema, note("a").pk)["suggestions"] and len(asked) == 3, "it has answered already"
    predictor.stop()
    assert "does not answer" in opened(ann, schema, note("c").pk, 503)["error"]["message"]
    Endpoint.objects.update(deleted_at="2030-01-01T00:00:00Z")
    assert "deleted" in opened(ann, schema, note("c").pk, 409)["error"]["message"]
    assert take(bob, schema.slug), "labelling goes on"

    pictures = upload.ready(zipped({f"{n}.png": image((n * 60,) * 3, (8, 8)) for n in range(4)}), "shades.zip", options={"freeze": True})
    light = queue(owner, pictures["dataset"], LIGHT)
    owner.put(at(light), {"model": "light"})
    with monkeypatch.context() as patch:
        patch.setattr(warm, "PATIENCE_S", 0)
        slow = opened(ann, light, QueueItem.objects.get(schema=light, key="1.png").pk, 503)["error"]
        assert "light@1" in slow["message"] and "within 0 seconds" in slow["hint"], "a model that hangs is ended"
    shade = QueueItem.objects.get(schema=light, key="0.png")
    assert opened(ann, light, shade.pk)["suggestions"][0]["result"][0]["value"] == {"choices": ["dark"]}


def test_a_flood_is_refused_and_a_slow_model_is_asked_about_a_few_at_once() -> None:
    turns, going, most = Turns(), [0], [0]
    lock, door = threading.Lock(), threading.Event()

    def ask() -> None:
        with lock:
            going[0] += 1
            most[0] = max(most[0], going[0])
        door.wait(30)
        with lock:
            going[0] -= 1

    people = [new_id() for _ in range(40)]

    def take_turn(item: int, user: Any) -> Callable[[], str]:
        def run() -> str:
            try:
                turns.take(item, user, ask)
            except TooManyRequests as error:
                return f"refused, again in {error.details['retry_after']} s"
            return "answered"

        return run

    with ThreadPoolExecutor(80) as pool:
        alone = [pool.submit(take_turn(n, people[0])) for n in range(EACH + 3)]
        while sum(f.done() for f in alone) < 3:
            time.sleep(0.01)
        crowd = [pool.submit(take_turn(100 + n, user)) for n, user in enumerate(people[1:])]
        while not any(f.done() for f in crowd):
            time.sleep(0.01)
        same = [pool.submit(take_turn(0, user)) for user in people[1:4]]
        door.set()
        told = [f.result() for f in alone]
        assert sorted(told) == ["answered"] * EACH + ["refused, again in 2 s"] * 3, "one person's flood is refused"
        assert "refused, again in 2 s" in {f.result() for f in crowd}, "and one of many people"
        assert {f.result() for f in same} == {"answered"}, "who waits for an item that is asked about is no new question"
    assert most[0] <= 4
    assert turns._going == {} and not turns._theirs
