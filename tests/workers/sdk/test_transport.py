"""The broker's connection, lost in the wrong moment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError

from backend.config.celery import app as platform
from infra.bootstrap.base import ROOT
from infra.supervisor.valkey import binary
from workers.engine.broker import app as steps
from workers.sdk import transport


@pytest.mark.parametrize("left", [None, SimpleNamespace(client=None)], ids=["closed", "closing"])
def test_what_is_asked_of_a_lost_channel_is_a_lost_connection_and_does_not_end_the_worker(left: object) -> None:
    transport.install()
    connection = Connection("redis+socket:///nowhere/broker.sock")
    assert type(connection.transport) is transport.Transport, "workers use it"
    channel = object.__new__(transport.Channel)
    channel.connection = left
    with pytest.raises(connection.connection_errors):  # these Celery forgives; any other error ends it
        _ = channel.pool


@pytest.mark.parametrize("app", [platform, steps], ids=["of requests", "of steps"])
def test_who_announces_does_not_wait_for_a_broker_that_is_away(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    connect = Connection._connection_factory

    def counted(self: Connection) -> object:
        tried.append(1)
        return connect(self)

    monkeypatch.setattr(Connection, "_connection_factory", counted)
    away = Connection("redis+socket:///nowhere/broker.sock", transport_options=app.conf.broker_transport_options)
    with pytest.raises(OperationalError):
        _ = away.default_channel
    assert len(tried) == 1, "tried again while a request waits"


TAKE = """
import sys
from kombu import Connection, Queue
from workers.sdk import transport
transport.install()
with Connection(sys.argv[1], transport_options={"visibility_timeout": 1}) as connection:
    channel = connection.default_channel
    channel.qos.restore_visible(interval=1)
    message = connection.SimpleQueue(Queue("wakes", channel=channel)).get(timeout=float(sys.argv[2]))
    print(message.payload, flush=True)
    import os; os._exit(9)  # without a word to the broker, as when it is killed
"""


def test_what_a_killed_worker_held_comes_back_whatever_its_clock_said(tmp_path: Path) -> None:
    """The worker's clock is a day ahead, then its successor's a day behind: both count by the broker's."""
    socket = tmp_path / "broker.sock"
    broker = subprocess.Popen([str(binary()), "--port", "0", "--unixsocket", str(socket), "--save", ""], stdout=subprocess.DEVNULL)

    def take(skew: float, patience: float = 0.5) -> str:
        path = f"{ROOT / 'tests' / 'workers' / 'engine' / 'skew'}{os.pathsep}{ROOT}"
        environment = {**os.environ, "PYTHONPATH": path, "HEADRACE_TEST_SKEW": str(skew)}
        asked = [sys.executable, "-c", TAKE, f"redis+socket://{socket}", str(patience)]
        return subprocess.run(asked, env=environment, capture_output=True, text=True, cwd=ROOT, check=False).stdout.strip()

    try:
        transport.install()
        while not socket.exists():
            time.sleep(0.01)
        with Connection(f"redis+socket://{socket}") as connection:
            connection.SimpleQueue("wakes").put("a step")
        assert take(86_400) == "a step"
        assert take(86_400) == "", "it is given back to nobody at once"
        time.sleep(1.1)
        assert take(-86_400, 5) == "a step"
        time.sleep(1.1)
        assert take(0, 5) == "a step"
    finally:
        broker.terminate()
        broker.wait()
