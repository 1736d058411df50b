"""A wake-up is what Celery would have sent, and nobody waits for a broker that is away."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from infra.supervisor.valkey import binary
from workers.engine.broker import announce
from workers.sdk import wake

QUEUE = "cpu.some-host"
STEP = "0193e9a4-0000-7000-8000-00000000002a"


def told(raw: bytes) -> Any:
    """A message without what is different in each."""
    found = json.loads(raw)
    found["body"] = json.loads(base64.b64decode(found["body"]))
    for name in ("id", "root_id", "origin"):
        assert found["headers"].pop(name)
    for name in ("correlation_id", "reply_to", "delivery_tag"):
        assert found["properties"].pop(name)
    return found


def test_a_wake_up_is_the_message_that_celery_writes_where_celery_writes_it(tmp_path: Path) -> None:
    socket = tmp_path / "broker.sock"
    broker = subprocess.Popen([str(binary()), "--port", "0", "--unixsocket", str(socket), "--save", ""], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            time.sleep(0.01)
        url = f"redis+socket://{socket}"
        celery = Celery("test", broker=url, set_as_current=False)
        celery.send_task(wake.TASK, args=[STEP], queue=QUEUE, retry=False, ignore_result=True)
        wake.wake(url, [(QUEUE, STEP), ("io", STEP), (QUEUE, STEP)])
        celery.send_task(wake.TASK, args=[STEP, True], queue="io", retry=False, ignore_result=True)
        wake.wake(url, [("io", STEP)], soon=True)
        valkey = redis.Redis(unix_socket_path=str(socket))
        by_celery, *ours = [valkey.rpop(QUEUE) for _ in range(3)]
        assert [told(one) for one in ours] == [told(by_celery)] * 2
        assert len({json.loads(one)["properties"]["delivery_tag"] for one in ours}) == 2, "the broker could not tell them apart"
        plain, by_celery, soon = [valkey.rpop("io") for _ in range(3)]
        assert told(soon) == told(by_celery) and told(plain)["body"][0] == [STEP]
        assert valkey.llen("io") == 0 and valkey.llen(QUEUE) == 0

        # A broker that was restarted is found again by the connection that knew the old one.
        broker.kill()
        broker.wait()
        socket.unlink()
        with pytest.raises((redis.RedisError, OSError)):
            wake.wake(url, [(QUEUE, STEP)])
        broker = subprocess.Popen([str(binary()), "--port", "0", "--unixsocket", str(socket), "--save", ""], stdout=subprocess.DEVNULL)
        while not socket.exists():
            time.sleep(0.01)
        wake.wake(url, [(QUEUE, STEP)])
        assert redis.Redis(unix_socket_path=str(socket)).llen(QUEUE) == 1
    finally:
        broker.kill()
        broker.wait()


def test_who_wakes_does_not_wait_for_a_broker_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    connect = redis.UnixDomainSocketConnection._connect

    def counted(self: redis.UnixDomainSocketConnection) -> Any:
        tried.append(1)
        return connect(self)

    monkeypatch.setattr(redis.UnixDomainSocketConnection, "_connect", counted)
    monkeypatch.setattr("workers.engine.broker.URL", "redis+socket:///nowhere/broker.sock")
    assert not announce("cpu", [STEP])
    assert len(tried) == 2, "tried on and on while a request waits"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis+socket:///run/broker.sock?virtual_host=3", {"path": "/run/broker.sock", "db": 3}),
        ("redis://:secret@broker:6380/2", {"host": "broker", "port": 6380, "db": 2, "password": "secret"}),
        ("rediss://broker/0?ssl_cert_reqs=CERT_NONE", {"host": "broker", "ssl_cert_reqs": "none"}),
    ],
)
def test_an_address_is_read_as_celery_reads_it(url: str, said: dict[str, Any]) -> None:
    pool = wake.client(url).connection_pool
    assert said.items() <= pool.connection_kwargs.items()
    pool.make_connection()  # what it does not know it refuses here
