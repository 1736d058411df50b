"""Several people at one item: its shared draft, who is named, what is refused, and what nobody is told."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from pycrdt import Doc, Map

from backend.core.live import room
from backend.core.live import socket as sockets
from backend.core.models import Event, Project
from backend.labeling import document
from backend.labeling.actions import presence, together
from backend.labeling.actions.queue import next_item
from backend.labeling.live import ItemBook
from backend.labeling.models import Annotation, LabelSchema, Lease, QueueItem, SharedUpdate
from backend.labeling.routing import routes
from tests.backend.labeling.conftest import Labs, box, choice, say, take
from tests.backend.labeling.test_crowd import queue, submitted, wrong
from tests.backend.live_page import LivePage, until
from tests.backend.people import Person, person

pytestmark = pytest.mark.django_db(transaction=True)
database = sync_to_async
Json = dict[str, Any]


@pytest.fixture
def project(transactional_db: None) -> Project:
    return Project.objects.create(slug="lab", name="Lab")


@pytest.fixture
def slug(labs: Labs) -> str:
    return labs.schema(labs.pictures(3), together="shared", review_share=1.0)


class Page(LivePage):
    def __init__(self, who: Person, slug: str, item: int, doc: Doc[Any] | None = None):
        super().__init__(who, f"label-schemas/{slug}/items/{item}", routes, doc)
        self.user = who.user

    @property
    def result(self) -> list[Json]:
        return document.read(self.doc)

    @property
    def boxes(self) -> set[str]:
        return {entry["id"] for entry in self.result if entry["type"] == "rectanglelabels"}

    async def draw(self, *entries: Json) -> None:
        def write(doc: Doc[Any]) -> None:
            for entry in entries:
                key = entry["id"] if entry["type"] == "rectanglelabels" else f"/{entry['from_name']}"
                doc.get("regions", type=Map)[key] = Map({**document._fields(entry), "order": 1.0})

        await self.change(write)

    async def edit(self, make: Callable[[Map[Any]], None]) -> None:
        await self.change(lambda doc: make(doc.get("regions", type=Map)))


def put(region: str, field: str, value: Any) -> Callable[[Map[Any]], None]:
    def make(regions: Map[Any]) -> None:
        regions[region][field] = value

    return make


async def annotation(item: int) -> Annotation:
    return await Annotation.objects.prefetch_related("coauthors").select_related("author").aget(item=item)


async def test_two_draw_at_once_one_goes_the_server_goes_and_one_submits_for_both(labs: Labs, slug: str, ann: Person, bob: Person) -> None:
    item = (await database(take)(ann, slug))["id"]
    one, two = await Page(ann, slug, item).open(), await Page(bob, slug, item).open()
    assert one.state == {"annotation": None}
    a, b = box(1, 1, 10, 10), box(50, 50, 10, 10)
    await one.draw(a)
    await two.draw(b, choice("cat"))
    await until(lambda: one.boxes == two.boxes == {a["id"], b["id"]})
    # The same region, other fields: both stay. Deleted against changed: deleted.
    await one.edit(put(a["id"], "place", {"x": 5.0, "y": 5.0, "width": 9.0, "height": 9.0, "rotation": 0.0}))
    await two.edit(put(a["id"], "name", {**document._fields(a)["name"], "labels": ["Tail"]}))
    await until(lambda: one.result == two.result and any("Tail" in entry["value"].get("rectanglelabels", []) for entry in one.result))
    (moved,) = (entry["value"] for entry in one.result if entry["id"] == a["id"])
    assert moved == {**a["value"], "x": 5, "y": 5, "width": 9, "height": 9, "rectanglelabels": ["Tail"]}
    await two.ask()
    await one.ask()
    assert await Lease.objects.filter(item=item).acount() == 1, "whoever joins takes no place"
    await two.close()
    await one.close()
    assert room.rooms == {}
    again = await Page(bob, slug, item, two.doc).open()  # a new room, from the log alone
    late = box(20, 20, 5, 5)
    await again.draw(late)
    await again.ask()
    result = again.result
    assert len(result) == 4
    told = await database(say)(bob, slug, item, result)
    await until(lambda: (again.state or {}).get("annotation") is not None)
    assert again.state["annotation"]["by"]["id"] == str(bob.user.pk)
    kept = await annotation(item)
    assert kept.author == bob.user and [u.pk for u in kept.coauthors.all()] == [ann.user.pk] and str(kept.pk) == told["id"]
    out = (await database(ann.get)(f"/label-schemas/{slug}/items/{item}"))["mine"]
    assert [u["id"] for u in out["authors"]] == [str(bob.user.pk), str(ann.user.pk)]
    assert await database(wrong)() == [] and not await Lease.objects.filter(item=item).aexists()
    # Ann's page, offline meanwhile, comes back with a box more: nothing is lost, and she may add it.
    forgotten = box(70, 70, 5, 5)
    with one.doc.transaction():
        one.doc.get("regions", type=Map)[forgotten["id"]] = Map({**document._fields(forgotten), "order": 9.0})
    back = await Page(ann, slug, item, one.doc).open()
    await until(lambda: forgotten["id"] in again.boxes and len(back.result) == 5)
    await database(say)(ann, slug, item, back.result, 409)
    changed = await database(say)(ann, slug, item, back.result, version=1)
    assert changed == {"outcome": "changed", "id": told["id"], "version": 2}
    await back.close()
    await again.close()


async def test_who_took_part_does_not_review_and_who_did_not_sees_no_more_of_it(labs: Labs, slug: str, ann: Person, rita: Person) -> None:
    item = (await database(take)(ann, slug))["id"]
    one, two = await Page(ann, slug, item).open(), await Page(rita, slug, item).open()
    await two.draw(box(1, 1, 9, 9), choice("cat"))
    await until(lambda: len(one.result) == 2)
    await two.ask()
    id_ = (await database(say)(ann, slug, item, one.result))["id"]
    base = f"/label-schemas/{slug}"
    assert (await database(rita.post)(f"{base}/review/next", {}, 200))["work"] is None
    verdict = {"verdict": "accepted", "version": 1}
    assert (await database(rita.post)(f"{base}/annotations/{id_}/review", verdict, 403))["error"]["code"] == "own_work"
    assert (await database(rita.post)(f"{base}/items/{item}/truth", {"annotation": id_}, 403))["error"]["code"] == "own_work"
    await database(labs.editor.post)(f"{base}/annotations/{id_}/review", verdict, 200)
    await until(lambda: (one.state["annotation"] or {}).get("status") == "accepted")
    await one.close()
    await two.close()


async def test_the_socket_refuses_strangers_viewers_other_modes_other_peoples_and_closed_items(
    labs: Labs, slug: str, ann: Person, bob: Person
) -> None:
    item = (await database(take)(ann, slug))["id"]
    viewer = await database(person)(labs.editor.project, "viewer")
    stranger = await database(person)(await database(Project.objects.create)(slug="other", name="Other"), "owner")
    stranger.project = labs.editor.project
    data = (await LabelSchema.objects.select_related("dataset").aget(slug=slug)).dataset.slug
    alone = {mode: await database(labs.schema)(data, together=mode) for mode in ("blind", "apart")}
    theirs = [(other, (await QueueItem.objects.filter(schema__slug=other).aearliest("pk")).pk) for other in alone.values()]
    for who, where, which, code in (
        (stranger, slug, item, sockets.NOT_FOUND),
        (ann, "no-such", item, sockets.NOT_FOUND),
        (ann, alone["blind"], item, sockets.NOT_FOUND),  # of another schema
        (viewer, slug, item, room.FORBIDDEN),
        *((ann, other, one, room.FORBIDDEN) for other, one in theirs),
    ):
        page = await Page(who, where, which).open()
        assert page.closed == code, (who.user.email, where)
        await page.close()
    joined = await Page(bob, slug, item).open()
    await database(say)(ann, slug, item, [choice("cat")])
    await next(iter(room.rooms.values())).check_access()
    await until(lambda: joined.closed == room.FORBIDDEN)  # he took no part, and it is submitted
    await joined.close()
    second = (await database(take)(ann, slug))["id"]
    held = await Page(ann, slug, second).open()
    await database(labs.editor.ask)("PATCH", f"/label-schemas/{slug}", {"together": "blind"})
    await next(iter(room.rooms.values())).check_access()
    await until(lambda: held.closed == room.FORBIDDEN)
    await held.close()


async def test_hostile_pages_are_put_out_and_the_others_go_on(slug: str, ann: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    item = (await database(take)(ann, slug))["id"]
    steady = await Page(ann, slug, item).open()
    face = await steady.show({"user": {"id": str(ann.user.pk), "name": "Ann"}})
    monkeypatch.setattr(sockets, "MAX_MESSAGE", 5000)
    monkeypatch.setattr(ItemBook, "largest", 20_000)
    monkeypatch.setattr(sockets, "MESSAGES_AT_ONCE", 60)

    async def flood(page: Page) -> None:
        for _ in range(200):
            await page.send(b"\x03")

    async def fill(page: Page) -> None:
        for n in range(10):
            await page.edit(lambda regions, n=n: regions.__setitem__(f"junk{n}", uuid.uuid4().hex * 100))  # type: ignore[misc]  # n of this turn

    async def pretend(page: Page) -> None:
        await page.show({"user": {"id": str(ann.user.pk), "name": "Ann"}})

    for act, code in (
        (lambda page: page.send(b"\x00\x02" + b"\x00" * 6000), room.TOO_LARGE),
        (lambda page: page.send(b"\x00\x02\x05abcde"), room.REFUSED),
        (lambda page: page.send(b"\x01\x03abc"), room.REFUSED),
        (pretend, room.REFUSED),
        (fill, room.TOO_LARGE),
        (flood, sockets.TRY_LATER),
    ):
        page = await Page(bob, slug, item).open()
        await until(lambda page=page: face in page.awareness.states)  # also after the document was loaded again
        await act(page)
        await until(lambda page=page: page.closed is not None)
        assert page.closed == code
        await page.close()
    # What no editor of ours writes is left out when it is read.
    rubbish = await Page(bob, slug, item).open()
    orphan = document._fields(choice("cat", "colour"))
    junk: Json = {"a": 5, "b": Map({"name": {"type": "rectanglelabels"}}), "c": Map({"name": [1]}), "gone/colour": Map(orphan)}
    await rubbish.edit(lambda regions: regions.update(junk))
    mine = box(1, 1, 10, 10)
    await steady.draw(mine, choice("dog"))
    await until(lambda: mine["id"] in rubbish.boxes)
    await steady.ask()
    assert [entry["id"] for entry in steady.result if entry["type"] != "choices"] == [mine["id"]]
    await database(say)(ann, slug, item, steady.result)
    await steady.close()
    await rubbish.close()


async def test_the_log_is_compacted_and_another_process_reads_it(slug: str, ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "COMPACT_ROWS", 3)
    item = (await database(take)(ann, slug))["id"]
    page = await Page(ann, slug, item).open()
    for n in range(8):
        await page.draw(box(n, n, 5, 5))
        await page.ask()
    assert await SharedUpdate.objects.filter(draft=item).acount() <= 4
    elsewhere = room.Room(ItemBook(item))
    await elsewhere.open()
    assert len(document.read(elsewhere.doc)) == 8
    await elsewhere.close()
    await page.close()


async def test_what_was_said_before_is_in_the_draft_when_people_begin_to_work_together(labs: Labs, ann: Person, bob: Person) -> None:
    slug = await database(labs.schema)(await database(labs.pictures)(1), together="apart")
    item = (await database(take)(ann, slug))["id"]
    first = box(1, 1, 30, 30)
    await database(say)(ann, slug, item, [first, choice("cat")])
    await database(labs.editor.ask)("PATCH", f"/label-schemas/{slug}", {"together": "shared"})
    page = await Page(ann, slug, item).open()
    assert page.boxes == {first["id"]} and page.result[0]["value"] == first["value"]
    await page.close()
    refused = await Page(bob, slug, item).open()
    assert refused.closed == room.FORBIDDEN
    await refused.close()


def test_a_shared_item_counts_once_however_many_submit_at_once() -> None:
    schema, people = queue(items=6, overlap=1, people=6)
    LabelSchema.objects.update(together="shared")
    items = list(QueueItem.objects.order_by("position"))
    for item in items:
        together.append_updates(item, [b"\x00\x00"], 0, [user.pk for user in people[:3]])

    def work(user: Any) -> list[str]:
        try:
            next_item(schema, user, [])  # each holds some item, and submits all of them
            return [submitted(schema, user, item.pk) for item in items]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        told = [outcome for some in pool.map(work, people) for outcome in some]
    assert told.count("submitted") == Annotation.objects.count() == len(items)
    assert set(told) <= {"submitted", "repeated", "full"} and wrong() == [] and not Lease.objects.exists()
    for item in items:
        said = Annotation.objects.get(item=item)
        named = {said.author_id, *said.coauthors.values_list("pk", flat=True)}
        assert {user.pk for user in people[:3]} <= named, "all who took part are named"


def test_together_goes_with_one_annotation_and_without_honeypots_and_blind_is_still_understood(labs: Labs) -> None:
    data = labs.pictures(1)
    body = {"name": "Pets", "dataset": data, "xml": "<View/>", "overlap": 2, "together": "shared"}
    assert labs.editor.post("/label-schemas", body, 422)["error"]["field"] == "overlap"
    slug = labs.schema(data, overlap=2, blind=False)
    path = f"/label-schemas/{slug}"

    def patched(**fields: Any) -> Any:
        return labs.editor.ask("PATCH", path, fields).json()

    found = labs.editor.get(path)
    assert (found["together"], found["blind"]) == ("apart", False)
    assert patched(blind=True)["together"] == "blind"
    assert patched(together="shared", overlap=1)["blind"] is False
    assert patched(blind=False)["together"] == "shared", "an older client that says “not blind” does not end it"
    assert patched(together="apart", blind=True)["error"]["field"] == "blind"
    LabelSchema.objects.update(order="random")
    settings = {"truth_by": "agree", "enough": 0.8, "honeypot_share": 0.1, "pause_below": None}
    assert labs.editor.put(f"{path}/quality/settings", settings, 422)["error"]["field"] == "honeypot_share"


def test_a_blind_schema_tells_nothing_of_others_in_events_and_presence(labs: Labs, ann: Person, bob: Person, rita: Person) -> None:
    slug = labs.schema(labs.pictures(2), overlap=2, together="blind")
    schema, path = LabelSchema.objects.get(slug=slug), f"/label-schemas/{slug}"
    work = take(ann, slug)
    assert work is not None
    item = work["id"]
    here = presence.place(labs.editor.project.pk, ann.user.pk, {"label_schema": slug, "item": item, "doing": "labelling"})
    presence.enter("a line", here)
    ann.put(f"{path}/items/{item}/draft", {"result": [box(1, 1, 5, 5)], "number": 7})
    say(ann, slug, item, [choice("cat")])
    for who, others in ((ann, 1), (bob, 0), (rita, 0), (labs.editor, 1)):
        assert len(who.get(f"{path}/presence")) == others, who.user.email
    for who in (bob, rita):
        assert who.get(f"{path}/items/{item}/annotations") == []
    told = [event.payload for event in Event.objects.filter(project=labs.editor.project)]
    told = [event for event in told if event["type"].startswith(("label", "annotation", "presence"))]
    assert told and all(event.keys() <= {"type", "label_schema", "seq"} and event["type"] == "label_schema_changed" for event in told)
    LabelSchema.objects.filter(pk=schema.pk).update(together="apart")
    (seen,) = bob.get(f"{path}/presence")
    assert (seen["user"]["id"], seen["item"], seen["doing"]) == (str(ann.user.pk), item, "labelling")
    presence.leave("a line", here)
    assert bob.get(f"{path}/presence") == []
