"""Strokes of long ago become one while people paint: none is lost, whoever writes at the same moment, stops in between, or comes back."""

from __future__ import annotations

import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import pycrdt
import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from pycrdt import Doc, Map

from backend.core.live import updates as yjs
from backend.core.models import Project
from backend.labeling import document, marks
from backend.labeling.actions import together
from backend.labeling.models import QueueItem, SharedUpdate
from tests.backend.labeling.conftest import Labs, take
from tests.backend.labeling.test_crowd import queue
from tests.backend.labeling.test_together import Page
from tests.backend.live_page import until
from tests.backend.people import Person
from workers.sdk.labels import brush
from workers.sdk.labels.brush import Mask

WIDE, HIGH = 200, 100
REGION = "the-mask"
database = sync_to_async


def begun() -> Doc[Any]:
    doc: Doc[Any] = Doc()
    name = {"id": REGION, "from_name": "area", "to_name": "image", "type": "brushlabels", "labels": ["Rust"]}
    size = {"also:original_width": float(WIDE), "also:original_height": float(HIGH)}
    first = marks.packed(marks.Mark(n=0, add=(0, 1), cut=()))
    doc.get("regions", type=Map)[REGION] = Map({"name": name, **size, "order": 1.0, "mark:0": first})
    return doc


def strokes(doc: Doc[Any]) -> dict[str, bytes]:
    held = doc.get("regions", type=Map)[REGION].to_py() or {}
    return {key.removeprefix("mark:"): value for key, value in held.items() if key.startswith("mark:")}


def paint(doc: Doc[Any], add: tuple[int, ...], cut: tuple[int, ...] = ()) -> tuple[str, bytes]:
    """As a page does: after the last that it knows. Its key, and the update that says so."""
    last = max((mark.n for data in strokes(doc).values() if (mark := marks.read(data, WIDE * HIGH))), default=0)
    key, before = uuid.uuid4().hex[:12], doc.get_state()
    doc.get("regions", type=Map)[REGION][f"mark:{key}"] = marks.packed(marks.Mark(n=last + 1, add=add, cut=cut))
    return key, doc.get_update(before)


def pixels(doc: Doc[Any]) -> set[int]:
    (entry,) = document.read(doc)
    edges = brush.mask_of(entry).edges
    return {p for begin, end in zip(edges[::2], edges[1::2], strict=True) for p in range(begin, end)}


def pixel(n: int) -> tuple[int, int]:
    """The n-th stroke marks one pixel that no other does."""
    return 2 * n + 10, 2 * n + 11


runs = st.lists(st.integers(0, 60), max_size=8, unique=True).map(lambda found: tuple(sorted(found[: len(found) // 2 * 2])))


@given(st.lists(st.tuples(runs, runs), min_size=1, max_size=14), runs, st.booleans(), st.integers(1, 4))
@settings(max_examples=150)
def test_folded_strokes_are_the_same_pixels_and_one_from_before_is_laid_on_them(
    painted: list[tuple[tuple[int, ...], tuple[int, ...]]], late: tuple[int, ...], base: bool, kept: int
) -> None:
    doc = begun()
    if base:  # a draft from before marks were kept
        doc.get("regions", type=Map)[REGION]["said:rle"] = [float(b) for b in brush.encode(Mask(WIDE, HIGH, (5, 40)))]
    away: Doc[Any] = Doc()
    away.apply_update(doc.get_update())
    for add, cut in painted:
        paint(doc, add, cut)
    before = pixels(doc)
    with mock.patch.multiple(marks, KEPT=kept):
        update = document.fold(doc)
        assert pixels(doc) == before
        assert len(strokes(doc)) <= 2 * kept + 1
        assert document.fold(doc) == yjs.EMPTY, "folding again at once changes nothing"
    assert (update != yjs.EMPTY) == (len(painted) + 1 - kept >= kept + 1), "the older ones, once they are as many as those that stay"
    paint(away, late)
    doc.apply_update(away.get_update())
    away.apply_update(doc.get_update())
    stay = {key for key in strokes(doc) if (mark := marks.read(strokes(doc)[key], WIDE * HIGH)) and mark.n > 1}
    cut_later = {p for key in stay for p in _inside(marks.read(strokes(doc)[key], WIDE * HIGH).cut)}  # type: ignore[union-attr]  # read above
    assert pixels(away) == pixels(doc) >= _inside(late) - cut_later - _inside(painted[0][1])


def _inside(edges: tuple[int, ...]) -> set[int]:
    return {p for begin, end in zip(edges[::2], edges[1::2], strict=True) for p in range(begin, end)}


class Painters(RuleBasedStateMachine):
    """Three pages and one log that is folded every few rows: they paint, are away, undo, send, and the server stops before it commits."""

    @initialize()
    def begin(self) -> None:
        schema, _ = queue(items=1, overlap=1, people=0)
        self.item = QueueItem.objects.select_related("schema").get(schema=schema)
        first = begun()
        together.append_updates(self.item, [first.get_update()], 0)
        self.pages: list[Doc[Any]] = [Doc() for _ in range(3)]
        self.seen, self.unsent = [0, 0, 0], [[], [], []]  # type: list[int], list[list[bytes]]
        self.keys: dict[str, int] = {}
        self.undone: set[int] = set()
        for n in range(3):
            self.send(n)

    @rule(who=st.integers(0, 2), many=st.integers(1, 5))
    def paints(self, who: int, many: int) -> None:
        for _ in range(many):
            key, update = paint(self.pages[who], pixel(len(self.keys)))
            self.keys[key] = len(self.keys)
            self.unsent[who].append(update)

    @rule(who=st.integers(0, 2))
    def undoes(self, who: int) -> None:
        """Of the newest that is there still; that of somebody else is as good as one's own here."""
        doc = self.pages[who]
        there = [key for key in strokes(doc) if key in self.keys]
        if there:
            key, before = max(there, key=self.keys.__getitem__), doc.get_state()
            del doc.get("regions", type=Map)[REGION][f"mark:{key}"]
            self.undone.add(self.keys[key])
            self.unsent[who].append(doc.get_update(before))

    @rule(who=st.integers(0, 2))
    def send(self, who: int) -> None:
        done = together.append_updates(self.item, self.unsent[who], self.seen[who])
        self.seen[who], self.unsent[who] = done.last, []
        for update in done.others:
            self.pages[who].apply_update(update)

    @rule(who=st.integers(0, 2))
    def stops_in_between(self, who: int) -> None:
        """After folding, before the commit."""
        with mock.patch.object(yjs, "compact", side_effect=DatabaseError("gone")):
            try:
                with transaction.atomic():
                    together.append_updates(self.item, self.unsent[who], self.seen[who])
                    raise DatabaseError("gone")
            except DatabaseError:
                pass

    @rule(who=st.integers(0, 2))
    def comes_back(self, who: int) -> None:
        """A page that sends all that it has, and is told all."""
        together.append_updates(self.item, [self.pages[who].get_update()], 0)
        self.unsent[who], self.seen[who] = [], 0
        self.send(who)

    @invariant()
    def nothing_is_lost(self) -> None:
        sent = yjs.load(together.read_log(self.item)[0])
        for page, unsent in zip(self.pages, self.unsent, strict=True):
            for update in unsent:
                sent.apply_update(update)
            assert document.read(page), "a page shows the mask"
        there = {(p - 10) // 2 for p in pixels(sent) if p >= 10}
        painted = set(self.keys.values())
        assert painted - self.undone <= there <= painted

    def teardown(self) -> None:
        if hasattr(self, "pages"):
            for _ in range(2):
                for who in range(3):
                    self.send(who)
            kept = pixels(yjs.load(together.read_log(self.item)[0]))
            assert all(pixels(page) == kept for page in self.pages)
            assert SharedUpdate.objects.filter(draft=self.item.pk).count() <= 4
        super().teardown()


@pytest.mark.django_db
def test_pages_that_paint_undo_stop_and_come_back_while_strokes_are_folded() -> None:
    with mock.patch.multiple(marks, KEPT=3), mock.patch.multiple(together, COMPACT_ROWS=3):
        run_state_machine_as_test(
            Painters, settings=settings(max_examples=40, stateful_step_count=25, deadline=None, derandomize=True, database=None)
        )


@pytest.mark.django_db(transaction=True)
def test_who_paint_at_the_same_moment_lose_nothing_while_their_connections_are_cut() -> None:
    schema, _ = queue(items=1, overlap=1, people=0)
    item = QueueItem.objects.select_related("schema").get(schema=schema)
    first = begun().get_update()
    together.append_updates(item, [first], 0)
    painters, each, cut = 4, 40, threading.Event()
    failed: list[str] = []

    def painter(number: int) -> None:
        doc, seen, n = yjs.load([first]), 0, 0
        unsent: list[bytes] = []
        try:
            while n < each or unsent:
                if n < each:
                    unsent.append(paint(doc, pixel(number * each + n))[1])
                    n += 1
                try:
                    done = together.append_updates(item, unsent, seen)
                except DatabaseError as error:  # as a room does: what it could not write it writes next time
                    failed.append(str(error))
                    connection.close()
                    continue
                seen, unsent = done.last, []
                for update in done.others:
                    doc.apply_update(update)
        finally:
            connection.close()

    def cutter() -> None:
        chance = random.Random(3)
        try:
            while not cut.wait(0.02 + 0.05 * chance.random()):
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND pid <> pg_backend_pid() AND query LIKE '%%labeling_shared%%' ORDER BY random() LIMIT 1"
                    )
        finally:
            connection.close()

    with mock.patch.multiple(marks, KEPT=4), mock.patch.multiple(together, COMPACT_ROWS=5), ThreadPoolExecutor(painters + 1) as pool:
        cutting = pool.submit(cutter)
        try:
            for one in [pool.submit(painter, number) for number in range(painters)]:
                one.result(timeout=300)
        finally:
            cut.set()
        cutting.result(timeout=30)
    connection.close()
    kept = yjs.load(together.read_log(item)[0])
    assert pixels(kept) - {0} == {pixel(n)[0] for n in range(painters * each)}
    assert len(strokes(kept)) < 50 and SharedUpdate.objects.filter(draft=item.pk).count() <= 6
    assert failed, "no connection was cut: this said nothing"


@pytest.fixture
def project(transactional_db: None) -> Project:
    return Project.objects.create(slug="lab", name="Lab")


@pytest.mark.django_db(transaction=True)
async def test_who_joins_a_long_session_is_sent_the_mask_and_not_its_history(
    labs: Labs, ann: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    xml = '<View><Image name="image" value="$image"/><BrushLabels name="area" toName="image"><Label value="Rust"/></BrushLabels></View>'
    slug = await database(lambda: labs.schema(labs.pictures(1), xml, together="shared"))()
    item = (await database(take)(ann, slug))["id"]
    monkeypatch.setattr(together, "COMPACT_ROWS", 3)
    first = await Page(ann, slug, item, begun()).open()
    await first.ask()
    away = Page(bob, slug, item, yjs.load([first.doc.get_update()]))  # its line breaks here
    chance, spent, drawn = random.Random(1), 0, 1000
    for n in range(drawn):
        edges = tuple(sorted(chance.sample(range(100, WIDE * HIGH), 120)))
        _, update = paint(first.doc, edges if n % 3 else (), () if n % 3 else edges)
        spent += len(update)
        await first.send(pycrdt.create_update_message(update))
        if n % 10 == 9:
            await first.ask()  # which writes a row, if none was written before
    paint(away.doc, (0, 50))
    await away.open()  # it sends what it has when it is asked for it
    await until(lambda: pixels(away.doc) >= set(range(50)) and pixels(away.doc) == pixels(first.doc))
    joiner = await Page(bob, slug, item).open()
    await until(lambda: pixels(joiner.doc) == pixels(first.doc))
    assert len(strokes(joiner.doc)) <= 2 * marks.KEPT + 4 * 10 + 1, "what is folded, and four rows of the log"
    assert joiner.received < spent / 3, f"{joiner.received:,} bytes came of {spent:,} that were painted"
    for page in (first, away, joiner):
        assert page.closed is None
        await page.close()
