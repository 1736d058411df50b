"""kombu's Redis transport, mended: a lost connection does not end the worker, and a wrong clock keeps no message.

After a lost connection an old channel may still be asked to acknowledge what was done meanwhile, or to give back what was not. It has no
connection any more; kombu 5.7 asks that for its host name, and the AttributeError ends the worker, which would have connected anew. Said
as a lost connection it is handled as one. The messages are given out again by the time they were taken (`visibility_timeout`), and the
reaper announces their steps long before.

When a message was taken is written down by the clock of the broker. kombu takes the host's own: what a killed worker held whose clock was
an hour ahead came back an hour late, and a worker whose clock was behind gave nothing back.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual
from kombu.utils.json import dumps
from redis.exceptions import ConnectionError as Lost


class QoS(redis.QoS):  # type: ignore[misc]  # kombu has no types
    _ahead: float | None = None
    """Seconds by which the broker's clock is ahead of this host's, as it was when it was last asked."""

    def _now(self) -> float:
        if self._ahead is None:
            with self.channel.conn_or_acquire() as client:
                seconds, micros = client.time()
            self._ahead = seconds + micros / 1e6 - time.time()
        return time.time() + self._ahead

    def append(self, message: Any, delivery_tag: str) -> None:
        told = message.delivery_info
        with self.pipe_or_acquire() as pipe:
            pipe.zadd(self.unacked_index_key, {delivery_tag: self._now()})
            pipe.hset(self.unacked_key, delivery_tag, dumps([message._raw, told["exchange"], told["routing_key"]]))  # type: ignore[no-untyped-call]  # as above
            pipe.execute()
        virtual.QoS.append(self, message, delivery_tag)  # type: ignore[no-untyped-call]  # as above

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        self._vrestore_count += 1
        if (self._vrestore_count - 1) % (interval or 1):
            return
        self._ahead = None  # asked anew now and then: a clock may be set right
        until = self._now() - self.visibility_timeout
        with (
            contextlib.suppress(redis.MutexHeld),
            self.channel.conn_or_acquire() as client,
            redis.Mutex(client, self.unacked_mutex_key, self.unacked_mutex_expire),
        ):
            for tag in client.zrange(self.unacked_index_key, until, 0, desc=True, byscore=True, offset=num and start, num=num):
                self.restore_by_tag(tag, client)  # type: ignore[no-untyped-call]  # as above


class Channel(redis.Channel):  # type: ignore[misc]  # as above
    QoS = QoS
    unacked_mutex_expire = 15
    """Seconds. kombu's 300 keep all from giving back for so long when the one that looks is killed meanwhile."""

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
