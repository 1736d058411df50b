"""The project's socket, over the real ASGI application, PostgreSQL and Valkey."""

from __future__ import annotations

import asyncio
import json
import subprocess
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.test import Client

from backend.config.asgi import application
from backend.core import events
from backend.core.models import ApiToken, Membership, Project, Role, User
from backend.realtime import consumers
from infra.supervisor import valkey
from tests.backend.core import people

pytestmark = pytest.mark.django_db(transaction=True)
sync = database_sync_to_async
ORIGIN = (b"origin", b"http://localhost:8000")


def signed_in(person: User) -> bytes:
    client = Client()
    client.force_login(person)
    return f"headrace_session={client.cookies['headrace_session'].value}".encode()


class Socket(ApplicationCommunicator):
    """As a browser would open it."""

    def __init__(self, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        super().__init__(application, {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "subprotocols": []})

    @classmethod
    async def of(cls, person: User | None, slug: str = "wine", *headers: tuple[bytes, bytes], origin: bool = True) -> Socket:
        """With the cookie of `person`, or with other headers."""
        sent = [(b"host", b"localhost:8000"), *([ORIGIN] if origin else []), *headers]
        if person is not None:
            sent.append((b"cookie", await sync(signed_in)(person)))
        return cls(f"/ws/v1/projects/{slug}", sent)

    async def connect(self) -> int | None:
        """None when accepted, else the code it was closed with."""
        await self.send_input({"type": "websocket.connect"})
        message = await self.receive_output(timeout=10)
        return None if message["type"] == "websocket.accept" else int(message.get("code") or 1000)

    async def opened(self) -> Socket:
        assert await self.connect() is None
        return self

    async def say(self, message: Any) -> None:
        await self.send_input({"type": "websocket.receive", "text": message if isinstance(message, str) else json.dumps(message)})

    async def follow(self, *topics: str) -> Any:
        await self.say({"subscribe": list(topics)})
        return await self.until("subscribed")

    async def until(self, key: str, timeout: float = 10) -> Any:
        """What the next message with `key` says; others before it are skipped."""
        async with asyncio.timeout(timeout):
            while True:
                message = json.loads((await self.receive_output(timeout=timeout))["text"])
                if key in message:
                    return message[key]

    async def closed(self, timeout: float = 10) -> int:
        async with asyncio.timeout(timeout):
            while (message := await self.receive_output(timeout=timeout))["type"] != "websocket.close":
                pass
        return int(message["code"])

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(5)


@pytest.fixture
async def ada() -> User:
    return await sync(people.user)()


@pytest.fixture
async def wine(ada: User) -> Project:
    return await sync(people.project)("wine", viewer=ada, owner=await sync(people.user)("boss@example.com"))


async def publish(project: Project, number: int, topic: str = "project", **more: Any) -> None:
    await sync(events.publish)(project, topic, {"type": "dataset_changed", "dataset": f"d{number}", **more})


async def test_follower_gets_what_was_committed_in_order_and_only_of_its_project(ada: User, wine: Project) -> None:
    beer = await sync(people.project)("beer", owner=ada)
    socket = await (await Socket.of(ada)).opened()
    assert await socket.follow("project") == ["project"]
    await publish(beer, 0)
    for i in (1, 2, 3):
        await publish(wine, i)
    got: list[Any] = []
    while len(got) < 3:
        got += await socket.until("events")
    assert [e["dataset"] for e in got] == ["d1", "d2", "d3"] and got[0]["seq"] < got[1]["seq"]
    await socket.say({"ping": 7})
    assert await socket.until("pong") == 7
    await socket.say({"unsubscribe": ["project"]})
    assert await socket.until("subscribed") == []
    await publish(wine, 4)
    assert await socket.receive_nothing(0.3)
    await socket.disconnect()


async def test_who_may_not_is_told_why_and_let_go(ada: User, wine: Project) -> None:
    stranger = await sync(people.user)("stranger@example.com")
    good, bound = await sync(people.token)(ada), await sync(people.token)(ada, project=await sync(people.project)("beer"))
    bearer = lambda secret: (b"authorization", b"Bearer " + secret.encode())  # noqa: E731 - three uses below
    for socket, code in (
        (await Socket.of(None), 4401),
        (await Socket.of(stranger), 4404),
        (await Socket.of(ada, "no-such"), 4404),
        (await Socket.of(None, "wine", bearer("hr_wrong"), origin=False), 4401),
        (await Socket.of(None, "wine", bearer(bound), origin=False), 4404),
        (await Socket.of(ada, "wine", bearer("hr_wrong")), 4401),
    ):
        await socket.opened()
        assert (await socket.until("error"))["code"] in ("sign_in_needed", "not_found")
        assert await socket.closed() == code
    script = await (await Socket.of(None, "wine", bearer(good), origin=False)).opened()
    assert await script.follow("project") == ["project"]
    await script.disconnect()


@pytest.mark.parametrize("origin", [b"http://evil.example", b"http://localhost:9999", b"null", b"", b"http://localhost:8000.evil.example"])
async def test_page_of_another_origin_cannot_use_the_cookie(ada: User, wine: Project, origin: bytes) -> None:
    socket = await Socket.of(ada, "wine", (b"origin", origin), origin=False)
    assert await socket.connect() is not None


async def test_address_without_a_socket_is_refused_quietly(ada: User) -> None:
    assert await Socket("/ws/v1/nothing", [(b"host", b"localhost:8000"), ORIGIN]).connect() == 4404


async def test_topic_of_another_project_does_not_exist_here(ada: User, wine: Project) -> None:
    from backend.pipelines.models import Pipeline, PipelineVersion
    from backend.runs.models import Run

    def make() -> tuple[Run, Run]:
        made = []
        for project in (wine, people.project("beer")):
            needed: dict[str, Any] = {"project": project}
            pipeline = Pipeline.objects.create(slug="p", name="P", project=project)
            version = PipelineVersion.objects.create(pipeline=pipeline, number=1, graph={}, digest="0" * 64)
            needed["pipeline_version"] = version
            fields = {f.name for f in Run._meta.fields}
            for name, value in {"pipeline": pipeline, "number": 1, "graph": {}, "graph_digest": "0" * 64}.items():
                if name in fields:
                    needed[name] = value
            made.append(Run.objects.create(**needed))
        return made[0], made[1]

    ours, theirs = await sync(make)()
    socket = await (await Socket.of(ada)).opened()
    await socket.say({"subscribe": [f"run:{theirs.pk}", f"run:{uuid.uuid4()}", "run:x", "user:1", "project.x", f"run:{ours.pk}"]})
    for _ in range(5):
        assert (await socket.until("error"))["code"] == "not_found"
    assert await socket.until("subscribed") == [f"run:{ours.pk}"]
    await get_channel_layer().group_send(f"run.{ours.pk}", {"type": "live.event", "event": {"type": "run_changed", "seq": 1}})
    assert (await socket.until("events"))[0]["seq"] == 1
    await socket.disconnect()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"x"', '{"subscribe": "project"}', '{"subscribe": [1]}', '{"subscribe": ["' + "x" * 20000 + '"]}', "[" * 10000],
)
async def test_nonsense_gets_an_error_and_the_line_stays(ada: User, wine: Project, text: str) -> None:
    socket = await (await Socket.of(ada)).opened()
    await socket.say(text)
    assert (await socket.until("error"))["code"] == "invalid_input"
    assert await socket.follow("project") == ["project"]
    await socket.disconnect()


async def test_a_flood_arrives_in_few_frames_and_a_slow_client_is_told_to_ask_again(
    ada: User, wine: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames are counted, not timed: a thousand events in far fewer frames; then, with nobody reading, a bounded queue."""
    socket = await (await Socket.of(ada)).opened()
    await socket.follow("project")
    layer = get_channel_layer()
    for i in range(1000):
        await layer.group_send(f"project.{wine.pk}", {"type": "live.event", "event": {"type": "x", "seq": i}})
    frames: list[list[Any]] = []
    while sum(map(len, frames)) < 1000:
        frames.append(await socket.until("events"))
    assert [e["seq"] for f in frames for e in f] == list(range(1000)) and len(frames) < 200
    monkeypatch.setattr(consumers, "MAX_WAITING", 10)
    for i in range(500):
        await layer.group_send(f"project.{wine.pk}", {"type": "live.event", "event": {"type": "x", "seq": 1000 + i}})
    assert await socket.until("resync") is True
    await socket.disconnect()


async def _remove_member(ada: User, **_: Any) -> None:
    await Membership.objects.filter(user=ada).adelete()


async def _switch_off(ada: User, **_: Any) -> None:
    await User.objects.filter(pk=ada.pk).aupdate(is_active=False)


async def _new_password(ada: User, **_: Any) -> None:
    ada.set_password("another long password")
    await ada.asave()


async def _archive(wine: Project, **_: Any) -> None:
    from django.utils import timezone

    await Project.objects.filter(pk=wine.pk).aupdate(archived_at=timezone.now())


@pytest.mark.parametrize("revoke", [_remove_member, _switch_off, _new_password, _archive])
async def test_open_socket_closes_soon_after_access_is_lost(ada: User, wine: Project, revoke: Callable[..., Awaitable[None]]) -> None:
    boss = await User.objects.aget(email="boss@example.com")
    socket, other = await (await Socket.of(ada)).opened(), await (await Socket.of(boss)).opened()
    await revoke(ada=ada, wine=wine)
    assert await socket.closed() == 4403
    if revoke is not _archive:
        assert await other.follow("project") == ["project"], "nobody else is disturbed"
    await other.disconnect()


async def test_open_socket_closes_after_sign_out_and_after_its_token_is_revoked(ada: User, wine: Project) -> None:
    page = await (await Socket.of(ada)).opened()
    secret = await sync(people.token)(ada)
    script = await (await Socket.of(None, "wine", (b"authorization", f"Bearer {secret}".encode()), origin=False)).opened()
    cookie = dict(page.scope["headers"])[b"cookie"].decode().split("=")[1]

    def sign_out() -> None:
        client = people.Api()
        client.client.cookies["headrace_session"] = cookie
        client.ok("DELETE", "/session")
        from django.utils import timezone

        ApiToken.objects.update(revoked_at=timezone.now())

    await sync(sign_out)()
    assert await page.closed() == 4403 and await script.closed() == 4403
    assert await sync(lambda: Role.VIEWER in wine.memberships.values_list("role", flat=True))()


async def test_after_valkey_died_and_came_back_the_page_is_told_and_events_flow_again(
    ada: User, wine: Project, settings: Any, tmp_path: Path
) -> None:
    address = tmp_path / "v.sock"

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(valkey.command(tmp_path, address), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    settings.CHANNEL_LAYERS = {
        "default": {**settings.CHANNEL_LAYERS["default"], "CONFIG": {"hosts": [f"unix://{address}"], "prefix": "headrace"}}
    }
    server = start()
    try:
        while not address.exists():
            await asyncio.sleep(0.02)
        socket = await (await Socket.of(ada)).opened()
        await socket.follow("project")
        await publish(wine, 1)
        assert (await socket.until("events"))[0]["dataset"] == "d1"
        server.kill()
        server.wait()
        await publish(wine, 2)
        refused = await Socket.of(ada)
        assert await refused.connect() == 1013, "come back later"
        server = start()
        assert await socket.until("resync", timeout=20) is True
        await publish(wine, 3)
        assert (await socket.until("events"))[0]["dataset"] == "d3"
        missed = await sync(events.since)(wine, "project", 0)
        assert [e["dataset"] for e in missed] == ["d1", "d2", "d3"]
        await socket.disconnect()
    finally:
        server.kill()
        server.wait()
