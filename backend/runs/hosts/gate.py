"""What a joined host may say to the database and to the broker: looked at on its way in, before a byte of it is passed on.

The database is opened as `headrace_worker`, whatever the host asked for. Of the broker's commands only those pass that a worker needs;
scripts only those that Celery's transport and its locks are made of.
"""

from __future__ import annotations

import struct

from kombu.transport.redis import REFRESH_BINDING, SWEEP_BINDINGS
from redis.lock import Lock

ROLE = "headrace_worker"
LONGEST_START = 10_000
LONGEST_COMMAND = 64 * 1024**2
VERSION_3 = 3
COMMANDS = frozenset((
    "AUTH", "HELLO", "PING", "ECHO", "TIME", "SELECT", "INFO", "QUIT", "CLIENT", "SCRIPT", "EVALSHA",
    "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH", "PUBLISH", "PUBSUB", "SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE",
    "GET", "SET", "DEL", "EXISTS", "EXPIRE", "PEXPIRE", "LPUSH", "RPUSH", "BRPOP", "RPOP",
    "LLEN", "LREM", "SADD", "SREM", "SMEMBERS", "HSET", "HGET", "HDEL", "ZADD", "ZREM",
    "ZCARD", "ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZREVRANGEBYSCORE",
))  # fmt: skip
CLIENT = frozenset(("SETINFO", "SETNAME", "GETNAME", "ID", "MAINT_NOTIFICATIONS"))
SCRIPTS = frozenset((Lock.LUA_RELEASE_SCRIPT, Lock.LUA_EXTEND_SCRIPT, Lock.LUA_REACQUIRE_SCRIPT, REFRESH_BINDING, SWEEP_BINDINGS))


class Refused(Exception):
    """What the host sent is not for it to say."""


class DatabaseGate:
    """The first message names account and database: ours go in their place. What follows is between the host and PostgreSQL."""

    def __init__(self, database: str) -> None:
        self._database, self._buffer, self._open = database, bytearray(), False

    def feed(self, data: bytes) -> bytes:
        """What may be passed on now."""
        if self._open:
            return data
        self._buffer += data
        if len(self._buffer) < 8:
            return b""
        length, protocol = struct.unpack(">II", self._buffer[:8])
        if protocol >> 16 != VERSION_3 or not 8 < length <= LONGEST_START:
            raise Refused(
                "no start of a session"
            )  # also a request to cancel another's, or to encrypt: the tunnel is encrypted where the studio is
        if len(self._buffer) < length:
            return b""
        words = bytes(self._buffer[8:length]).split(b"\0")
        asked = dict(zip(words[::2], words[1::2], strict=False))
        kept = {k: v for k, v in asked.items() if k in (b"client_encoding", b"application_name", b"DateStyle", b"TimeZone")}
        told = {b"user": ROLE.encode(), b"database": self._database.encode(), **kept}
        body = b"".join(k + b"\0" + v + b"\0" for k, v in told.items()) + b"\0"
        rest, self._open = bytes(self._buffer[length:]), True
        return struct.pack(">II", len(body) + 8, protocol) + body + rest


class BrokerGate:
    """Whole commands, each looked at."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> bytes:
        """The commands that are complete now."""
        self._buffer += data
        passed = 0
        while (found := _command(self._buffer, passed)) is not None:
            words, passed = found
            _check(words)
        if len(self._buffer) - passed > LONGEST_COMMAND:
            raise Refused("a command that does not end")
        ready = bytes(self._buffer[:passed])
        del self._buffer[:passed]
        return ready


def _command(buffer: bytearray, at: int) -> tuple[list[bytes], int] | None:
    """The command that begins at `at` and where it ends; None while it is not complete."""
    head = _number(buffer, at, b"*")
    if head is None:
        return None
    count, at = head
    words = []
    for _ in range(count):
        head = _number(buffer, at, b"$")
        if head is None:
            return None
        length, at = head
        if len(buffer) < at + length + 2:
            return None
        words.append(bytes(buffer[at : at + length]))
        at += length + 2
    return words, at


def _number(buffer: bytearray, at: int, sign: bytes) -> tuple[int, int] | None:
    end = buffer.find(b"\r\n", at, at + 32)
    if end < 0:
        if len(buffer) - at >= 32:
            raise Refused("no command of this protocol")
        return None
    text = bytes(buffer[at:end])
    if text[:1] != sign or not text[1:].isdigit() or int(text[1:]) > LONGEST_COMMAND:
        raise Refused("no command of this protocol")
    return int(text[1:]), end + 2


def _check(words: list[bytes]) -> None:
    name = words[0].decode("ascii", "replace").upper() if words else ""
    second = words[1].decode("utf-8", "replace") if len(words) > 1 else ""
    if name not in COMMANDS:
        raise Refused(f"the command {name[:40]}")
    if name == "CLIENT" and second.upper() not in CLIENT:
        raise Refused(f"the command CLIENT {second[:40]}")
    if name == "PUBSUB" and second.upper() != "NUMSUB":
        raise Refused(f"the command PUBSUB {second[:40]}")
    if name == "SCRIPT":
        text = words[2].decode("utf-8", "replace") if len(words) > 2 else ""
        if second.upper() != "EXISTS" and (second.upper() != "LOAD" or text not in SCRIPTS):
            raise Refused("a script of its own")
