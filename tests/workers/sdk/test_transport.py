"""The broker's connection, lost in the wrong moment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from kombu import Connection

from workers.sdk import transport


class Kept(dict[str, str]):
    """What a channel took and has not acknowledged; kombu marks it."""


def closing(client: Any) -> transport.QoS:
    channel = object.__new__(transport.Channel)
    channel.connection = SimpleNamespace(client=client)
    qos = object.__new__(transport.QoS)
    qos.channel, qos._delivered, qos._dirty, qos.restore_at_shutdown = channel, Kept(message="taken"), set(), True
    qos._on_collect, qos._flush = SimpleNamespace(cancel=lambda: None), lambda: None
    return qos


def test_closing_after_a_lost_connection_does_not_end_the_worker() -> None:
    transport.install()
    connection = Connection("redis+socket:///nowhere/broker.sock")
    assert type(connection.transport) is transport.Transport, "workers use it"
    closing(None).restore_unacked_once()
    with pytest.raises(AttributeError):
        closing(SimpleNamespace()).restore_unacked_once()  # another mistake is not hidden
