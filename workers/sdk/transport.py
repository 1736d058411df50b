"""kombu's Redis transport, mended: a lost connection does not end the worker.

A channel that is closed gives back the messages that it had taken and not acknowledged. After a lost connection there is nothing left to
give them back through: kombu 5.7 then asks a connection that is None for its host name, and the AttributeError ends the worker, which
would have connected anew. Those messages are given out again by the time they were taken (`visibility_timeout`), and the reaper
announces their steps long before.
"""

from __future__ import annotations

import logging
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

log = logging.getLogger(__name__)


class QoS(redis.QoS):  # type: ignore[misc]  # kombu has no types
    def restore_unacked_once(self, stderr: Any = None) -> None:
        try:
            super().restore_unacked_once(stderr)  # type: ignore[no-untyped-call]  # as above
        except AttributeError:
            if self.channel.connection.client is not None:
                raise
            log.warning("The connection to the broker was lost: what was taken and not done is given out again later.")


class Channel(redis.Channel):  # type: ignore[misc]  # as above
    QoS = QoS


class Transport(redis.Transport):  # type: ignore[misc]  # as above
    Channel = Channel


def install() -> None:
    """For `redis://`, `rediss://` and `redis+socket://` of this process, from now on."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
