"""The broker's connection, lost in the wrong moment."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError

from backend.config.celery import app as platform
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
