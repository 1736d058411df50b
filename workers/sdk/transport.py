"""kombu's Redis transport, mended: a lost connection does not end the worker.

After a lost connection an old channel may still be asked to acknowledge what was done meanwhile, or to give back what was not. It has no
connection any more; kombu 5.7 asks that for its host name, and the AttributeError ends the worker, which would have connected anew. Said
as a lost connection it is handled as one. The messages are given out again by the time they were taken (`visibility_timeout`), and the
reaper announces their steps long before.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import ConnectionError as Lost


class Channel(redis.Channel):  # type: ignore[misc]  # kombu has no types
    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if self.connection is None or self.connection.client is None:
            raise Lost("This channel's connection was lost.")
        found: dict[str, Any] = super()._connparams(asynchronous=asynchronous)  # type: ignore[no-untyped-call]  # as above
        return found


class Transport(redis.Transport):  # type: ignore[misc]  # as above
    Channel = Channel


AT_ONCE = {"max_retries": 0}
"""Transport options with which an announcement gives up when the broker is away, instead of trying for seconds while a request or a
step waits: who announces says it again later. (`retry=False` of Celery is about sending, not about connecting.) Workers that listen
try on as long as it takes."""


def install() -> None:
    """For `redis://`, `rediss://` and `redis+socket://` of this process, from now on."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
