"""Listeners on topics: the real process against a real Valkey and a real MQTT broker (aedes, under node).

No Kafka broker can be had here, so of Kafka the arguments, the errors (against a port where nobody answers) and the order of event and
offset are tested, the last with a consumer that does what `aiokafka` says of its own: it gives records one by one, and after it is
made again it begins at the offset that was committed last. What the seam leaves out is the client's own protocol.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import paho.mqtt.publish as mqtt
import pytest
import redis
from django.conf import settings
from django.db import connection

from backend.core.models import Project
from backend.runs.models import Run, TriggerEvent
from backend.runs.triggers import fire
from backend.runs.triggers.kinds import kafka
from backend.runs.triggers.models import Trigger
from infra.supervisor.layout import ROOT
from tests.backend.people import Person
from tests.backend.runs.test_triggers import Json, history, make, pipeline  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(true: Callable[[], Any], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.1)


@pytest.fixture
def allowed(settings: Any) -> None:
    settings.ALLOW_PRIVATE_BROKERS = True


def listen(**env: str) -> subprocess.Popen[bytes]:
    database = settings.DATABASE_URL.replace("/postgres?", f"/{connection.settings_dict['NAME']}?")
    command = [sys.executable, "-m", "backend.runs.triggers.listen"]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": database, "ALLOW_PRIVATE_BROKERS": "1", **env})


@pytest.fixture
def listener() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(**env: str) -> subprocess.Popen[bytes]:
        started.append(listen(**env))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def state(trigger: Json) -> str:
    return str(Trigger.objects.get(pk=trigger["id"]).connection.get("state"))


def test_a_redis_stream_is_heard_also_what_was_left_unacknowledged(
    editor: Person, make: Callable[..., Json], allowed: None, listener: Callable[..., subprocess.Popen[bytes]]  # noqa: F811 - fixtures
) -> None:  # fmt: skip
    port = free_port()
    valkey = redis.Redis(unix_socket_path=settings.BROKER_URL.removeprefix("redis+socket://"))
    valkey.config_set("port", str(port))
    valkey.delete("orders")
    fields = {"config": {"address": f"127.0.0.1:{port}", "stream": "orders", "start": "earliest"}, "most_at_once": 10}
    made = make("redis_stream", mapping={"a": {"value": "$event.data.n"}}, **fields)
    valkey.xadd("orders", {"data": '{"n": 1}'})
    first = listener()
    until(lambda: TriggerEvent.objects.count() == 1, "the first entry")
    assert state(made) == "connected"
    first.kill()  # in the middle of whatever it does
    first.wait()
    # As if it had died after it was handed an entry and before it acknowledged it.
    name = valkey.xinfo_groups("orders")[0]["name"].decode()
    valkey.xadd("orders", {"data": '{"n": 2}'})
    valkey.xreadgroup(name, name, {"orders": ">"})
    valkey.xadd("orders", {"n": "3", "unit": "t"})
    listener()
    until(lambda: TriggerEvent.objects.count() == 3, "what the dead listener had not acknowledged")
    until(lambda: valkey.xpending("orders", name)["pending"] == 0, "everything acknowledged")
    assert [e.payload["data"] for e in TriggerEvent.objects.order_by("received_at")] == [{"n": 1}, {"n": 2}, {"n": "3", "unit": "t"}]
    fire.advance()
    assert sorted(r.graph["steps"]["a"]["parameters"]["value"] for r in Run.objects.all()) == [1, 2], "“3” is text, which the form refuses"
    assert [e["status"] for e in history(editor, made)] == ["failed", "started", "started"]


@pytest.mark.slow
def test_mqtt_is_heard_through_an_outage_and_changes_are_picked_up(
    editor: Person, make: Callable[..., Json], allowed: None, listener: Callable[..., subprocess.Popen[bytes]]  # noqa: F811 - fixtures
) -> None:  # fmt: skip
    port = free_port()
    made = make("mqtt", config={"address": f"127.0.0.1:{port}", "topic": "plant/+/batch"}, most_at_once=10)
    process = listener()
    until(lambda: state(made) == "error", "that nobody answers is told")
    assert "refused" in editor.get("/triggers/mqtt")["connection"]["message"].lower()
    broker = subprocess.Popen(["node", "broker.mjs", str(port)], cwd=ROOT / "tests" / "backend" / "runs", stdout=subprocess.PIPE)
    try:
        assert broker.stdout is not None and broker.stdout.readline() == b"listening\n"
        until(lambda: state(made) == "connected", "it connects when the broker is there")
        mqtt.single("plant/a/batch", '{"n": 1}', qos=1, port=port)
        mqtt.single("plant/b/other", "no", qos=1, port=port)
        until(lambda: TriggerEvent.objects.count() == 1, "the message")
        # The session is kept while nobody listens.
        process.kill()
        process.wait()
        mqtt.single("plant/b/batch", '{"n": 2}', qos=1, port=port)
        process = listener()
        until(lambda: TriggerEvent.objects.count() == 2, "the message that came in between")
        assert [e["source"] for e in history(editor, made)] == ["plant/b/batch", "plant/a/batch"]
        config = {"address": f"127.0.0.1:{port}", "topic": "yard"}
        editor._json(editor.ask("PATCH", "/triggers/mqtt", {"config": config}), 200)
        until(lambda: state(made) == "connected", "the other topic")
        mqtt.single("yard", b"\xff\x00", qos=1, port=port)
        until(lambda: TriggerEvent.objects.count() == 3, "a message on the other topic, which is no text")
        assert TriggerEvent.objects.get(source="yard").payload["data"] == {"base64": "/wA="}
        editor.post("/triggers/mqtt/disable", status=200)
        until(lambda: process.poll() is not None, "nothing is left to listen to")
        assert process.returncode == 0
    finally:
        broker.kill()
        broker.wait()


def test_a_broker_on_a_private_network_is_not_reached(
    project: Project, make: Callable[..., Json], settings: Any, listener: Callable[..., subprocess.Popen[bytes]]  # noqa: F811 - fixtures
) -> None:  # fmt: skip
    settings.ALLOW_PRIVATE_BROKERS = True
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        made = [
            make("redis_stream", config={"address": address, "stream": "s"}),
            make("mqtt", config={"address": address, "topic": "t"}),
            make("kafka", config={"brokers": [address], "topic": "t"}),
        ]
        listener(ALLOW_PRIVATE_BROKERS="0")
        until(lambda: {state(one) for one in made} == {"error"}, "all three are told")
        with pytest.raises(TimeoutError):
            server.accept()
    told = [Trigger.objects.get(pk=one["id"]).connection["message"] for one in made]
    assert any("private network" in message for message in told) and all(told)


class Consumer:
    """Gives the log from the committed offset on."""

    def __init__(self, log: list[bytes], committed: list[int]):
        self.log, self.committed = log, committed

    async def __aiter__(self) -> Any:
        for offset in range(self.committed[-1], len(self.log)):
            yield SimpleNamespace(topic="t", partition=0, offset=offset, key=None, value=self.log[offset], headers=())

    async def commit(self, offsets: Any) -> None:
        self.committed += offsets.values()


def test_a_kafka_offset_is_committed_only_after_its_event() -> None:
    kept: list[str] = []
    committed = [0]
    log = [b"a", b"b", b"c"]

    async def inbox(*, key: str, source: str, body: Any, about: Json) -> None:
        assert committed[-1] == int(key.rpartition(":")[2]), "the offset is not committed before the event"
        if body == b"b" and kept.count("kafka:t:0:1") == 0:
            kept.append(key)
            raise ConnectionError("the database is away after it kept the event, before we heard of it")
        kept.append(key)

    with pytest.raises(ConnectionError):
        asyncio.run(kafka.consume(Consumer(log, committed), inbox))
    assert committed == [0, 1]
    asyncio.run(kafka.consume(Consumer(log, committed), inbox))
    assert committed == [0, 1, 2, 3]
    assert kept == ["kafka:t:0:0", "kafka:t:0:1", "kafka:t:0:1", "kafka:t:0:2"], "the repeat has the same key, which makes it one event"


def test_kafka_is_given_what_the_form_says() -> None:
    config = kafka.Config(brokers=["k:9092"], topic="t", security="sasl_ssl", mechanism="SCRAM-SHA-512", username="u", password="p")  # type: ignore[arg-type]  # pydantic makes the secret
    found = kafka.options(config, "headrace-1")
    assert found["enable_auto_commit"] is False and found["group_id"] == "headrace-1" and found["ssl_context"].check_hostname
    assert (found["security_protocol"], found["sasl_mechanism"], found["sasl_plain_password"]) == ("SASL_SSL", "SCRAM-SHA-512", "p")
    plain = kafka.options(kafka.Config(brokers=["k:9092"], topic="t", group="mine"), "headrace-1")
    assert plain["group_id"] == "mine" and "ssl_context" not in plain and "sasl_mechanism" not in plain
    from aiokafka import AIOKafkaConsumer

    async def accepted() -> None:
        AIOKafkaConsumer("t", **found)
        AIOKafkaConsumer("t", **plain)

    asyncio.run(accepted())
