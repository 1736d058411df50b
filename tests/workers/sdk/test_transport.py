"""The broker's connection, lost in the wrong moment."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from kombu import Connection

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
