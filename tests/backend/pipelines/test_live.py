"""The live document, with pycrdt as the browser's side of the socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pycrdt
import pytest
from asgiref.sync import sync_to_async
from pycrdt import Doc, Map

from backend.core.live import room
from backend.core.live import socket as sockets
from backend.core.live import updates as yjs
from backend.core.models import AuditEntry, Membership, Project
from backend.pipelines import document
from backend.pipelines.actions import create_pipeline, draft, save_draft
from backend.pipelines.live import DraftBook
from backend.pipelines.models import DraftUpdate, Pipeline
from backend.pipelines.routing import routes
from tests.backend.live_page import LivePage, until
from tests.backend.people import Person, person

pytestmark = pytest.mark.django_db(transaction=True)
GRAPH: dict[str, Any] = {
    "steps": {"read": {"component": "read_table"}, "pick": {"component": "select_columns", "inputs": {"table": ["read.table"]}}}
}
database = sync_to_async


class Page(LivePage):
    def __init__(self, who: Person, slug: str, doc: Doc[Any] | None = None):
        super().__init__(who, f"pipelines/{slug}", routes, doc)

    async def edit(self, change: Callable[[Map[Any]], None]) -> None:
        await self.change(lambda doc: change(doc.get("steps", type=Map)))

    @property
    def graph(self) -> dict[str, Any]:
        return document.read(self.doc)["steps"]


@pytest.fixture
async def pipeline(editor: Person) -> AsyncIterator[Pipeline]:
    yield await database(create_pipeline)(editor.project, editor.user, "Wine", graph=GRAPH)
    assert room.rooms == {}, "a room outlived its last page"


async def stored(pipeline: Pipeline) -> Pipeline:
    return await Pipeline.objects.aget(pk=pipeline.pk)


def put(field: str, value: Any, key: str = "pick") -> Callable[[Map[Any]], None]:
    def change(steps: Map[Any]) -> None:
        steps[key][field] = value

    return change


@pytest.fixture
def editor(transactional_db: None) -> Person:
    return person(Project.objects.create(slug="lab", name="Lab"), "editor")


async def test_an_edit_reaches_the_other_page_and_the_draft_and_outlives_the_server(editor: Person, pipeline: Pipeline) -> None:
    one, two = await Page(editor, "wine").open(), await Page(editor, "wine").open()
    assert one.graph.keys() == {"read", "pick"}
    await one.edit(put("name", "Chosen"))
    await until(lambda: two.graph["pick"]["name"] == "Chosen")
    await one.ask()
    held = await stored(pipeline)
    assert held.draft["steps"]["pick"]["name"] == "Chosen" and held.draft_base == pipeline.draft_base + 1
    assert await AuditEntry.objects.filter(action="pipeline.edit", actor=editor.user).acount() == 1
    await one.close()
    await two.close()
    again = await Page(editor, "wine").open()  # a new room, from the log alone
    assert again.graph["pick"]["name"] == "Chosen"
    await again.close()


async def test_a_page_that_was_offline_merges_and_a_wire_from_a_step_deleted_meanwhile_is_repaired(
    editor: Person, pipeline: Pipeline
) -> None:
    one = await Page(editor, "wine").open()
    away = await Page(editor, "wine").open()
    await away.close()

    def connect(steps: Map[Any]) -> None:
        steps["late"] = Map(
            {
                "component": "split_rows",
                "parameters": Map({"seed": 7}),
                "inputs": Map({"table": pycrdt.Array(["pick.table", "read.table"])}),
            }
        )

    with away.doc.transaction():
        connect(away.doc.get("steps", type=Map))
    await one.edit(lambda steps: steps.pop("pick"))
    await one.ask()
    back = await Page(editor, "wine", away.doc).open()
    await until(lambda: "late" in one.graph)
    await back.ask()
    held = (await stored(pipeline)).draft["steps"]
    assert held.keys() == {"read", "late"}
    assert held["late"]["inputs"] == {"table": [{"step": "read", "output": "table"}]} and held["late"]["parameters"] == {"seed": 7}
    assert back.graph == one.graph == held
    await one.close()
    await back.close()


async def test_saving_over_http_is_an_edit_of_the_open_document(editor: Person, pipeline: Pipeline) -> None:
    page = await Page(editor, "wine").open()
    changed = {"steps": {**GRAPH["steps"], "read": {"component": "read_table", "parameters": {"dataset": "wine@1"}}}}
    saved = await database(save_draft)(pipeline, editor.user, pipeline.draft_base, changed)
    await until(lambda: page.graph["read"]["parameters"] == {"dataset": "wine@1"})
    await page.edit(put("retries", 2))
    await page.ask()
    held = await stored(pipeline)
    assert held.draft_base == saved["base"] + 1 and held.draft["steps"]["read"]["parameters"] == {"dataset": "wine@1"}
    assert held.draft["steps"]["pick"]["retries"] == 2
    await page.close()


async def test_what_another_process_wrote_is_taken_from_the_log_when_its_message_was_lost(
    editor: Person, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "COMPACT_ROWS", 3)
    page = await Page(editor, "wine").open()
    other: Doc[Any] = yjs.load((await database(draft.read_log)(pipeline.pk))[0])

    async def elsewhere(note: str) -> None:
        graph = document.read(other)
        graph["steps"]["read"]["note"] = note
        await database(draft.append_updates)(pipeline.pk, [document.write(other, graph)], 0)

    for number in range(8):  # each side's compaction takes rows away that the other has not read yet
        await elsewhere(f"theirs {number}")
        await page.edit(put("note", f"ours {number}"))
        await page.ask()
    assert (page.graph["read"]["note"], page.graph["pick"]["note"]) == ("theirs 7", "ours 7")
    assert (await stored(pipeline)).draft["steps"] == page.graph
    assert await DraftUpdate.objects.filter(pipeline=pipeline).acount() <= 4
    await page.close()


async def test_a_reader_sees_edits_and_presence_but_changes_nothing(editor: Person, pipeline: Pipeline) -> None:
    viewer = await database(person)(editor.project, "viewer")
    writer, reader = await Page(editor, "wine").open(), await Page(viewer, "wine").open()
    face = await writer.show({"user": {"name": "Ed"}})
    await until(lambda: reader.awareness.states.get(face) == {"user": {"name": "Ed"}})
    late = await Page(viewer, "wine").open()
    await until(lambda: face in late.awareness.states)
    await reader.edit(put("name", "Not mine to change"))
    await until(lambda: reader.closed is not None)
    assert reader.closed == room.FORBIDDEN
    await writer.edit(put("name", "Mine"))
    await until(lambda: late.graph["pick"]["name"] == "Mine")
    await writer.close()
    await until(lambda: face not in late.awareness.states)
    await reader.close()
    await late.close()
    assert (await stored(pipeline)).draft["steps"]["pick"]["name"] == "Mine"


async def test_strangers_oversize_and_rubbish_are_turned_away_and_do_no_harm(
    editor: Person, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await database(Project.objects.create)(slug="other", name="Other")
    stranger = await database(person)(other, "owner")
    stranger.project = editor.project
    for who, slug in ((stranger, "wine"), (editor, "no-such")):
        page = await Page(who, slug).open()
        assert page.closed == sockets.NOT_FOUND
        await page.close()
    steady = await Page(editor, "wine").open()
    monkeypatch.setattr(sockets, "MAX_MESSAGE", 5000)
    for message, code in (
        (b"\x00\x02" + b"\x00" * 6000, room.TOO_LARGE),
        (b"\x00\x02\x05abcde", room.REFUSED),
        (b"\x01\x03abc", room.REFUSED),
        (b"\x00", room.REFUSED),
    ):
        page = await Page(editor, "wine").open()
        await page.send(message)
        await until(lambda page=page: page.closed is not None)
        assert page.closed == code
        await page.close()
    await steady.edit(put("name", "Still here"))
    await steady.ask()
    assert (await stored(pipeline)).draft["steps"]["pick"]["name"] == "Still here"
    await database(Membership.objects.filter(user=editor.user).delete)()
    await next(iter(room.rooms.values())).check_access()
    await until(lambda: steady.closed == room.FORBIDDEN)
    await steady.close()


async def test_two_processes_share_a_draft_at_once_and_go_on_hearing_each_other(
    editor: Person, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "TICK_S", 0.05)  # many silences in a short time
    page = await Page(editor, "wine").open()
    elsewhere = room.Room(DraftBook(pipeline.pk))  # what another process has
    await elsewhere.open()
    monkeypatch.setattr(elsewhere, "flush", lambda **_: asyncio.sleep(0))  # the channel layer alone, not the log
    for name in ("first", "second"):
        await asyncio.sleep(0.3)
        await page.edit(put("name", name))
        await until(lambda name=name: document.read(elsewhere.doc)["steps"]["pick"]["name"] == name)
    await elsewhere.close()
    await page.close()
