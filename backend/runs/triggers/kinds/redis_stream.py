"""An entry of a Redis (or Valkey) stream, read as a consumer group: acknowledged once the event is committed, and what an earlier
listener left unacknowledged is read first."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator

from backend.runs.triggers import brokers
from backend.runs.triggers.kind import Connected, Inbox, Kind

WAIT_MS = 5000
"""How long a read waits for entries; well below the socket's own limit."""
AT_ONCE = 100


class Config(BaseModel):
    address: Annotated[str, Field(title="Server", max_length=260, description="host:port, such as redis.example.org:6379.")]
    stream: Annotated[str, Field(title="Stream", min_length=1, max_length=300)]
    start: Annotated[
        Literal["latest", "earliest"],
        Field(title="Begin with", description="The first time only: with what comes from now on, or with what the stream still holds."),
    ] = "latest"
    tls: Annotated[bool, Field(title="TLS", description="Speak TLS to the server.")] = False
    database: Annotated[int, Field(title="Database", ge=0, le=1000, json_schema_extra={"x-advanced": True})] = 0
    username: Annotated[str | None, Field(title="User", max_length=200)] = None
    password: Annotated[SecretStr | None, Field(title="Password", max_length=1000, description="Kept encrypted; never shown again.")] = None
    group: Annotated[
        str | None,
        Field(
            title="Consumer group", max_length=200, json_schema_extra={"x-advanced": True}, description="Empty: one of this trigger's own."
        ),
    ] = None

    @field_validator("address")
    @classmethod
    def _address(cls, value: str) -> str:
        brokers.split(value)
        return value


def describe(config: Config) -> str:
    return f"when an entry is added to the Redis stream {config.stream}"


def check(config: Config) -> None:
    brokers.check([config.address], "config.address")


async def listen(config: Config, name: str, inbox: Inbox, connected: Connected) -> None:
    from redis.asyncio import Redis
    from redis.exceptions import ResponseError

    host, port = brokers.split(config.address)
    group = config.group or name
    client: Any = Redis(
        host=host, port=port, db=config.database, ssl=config.tls, username=config.username or None, socket_connect_timeout=10,
        password=config.password.get_secret_value() if config.password else None, socket_timeout=WAIT_MS / 1000 + 10,
    )  # fmt: skip
    async with client:
        try:
            await client.xgroup_create(config.stream, group, id="$" if config.start == "latest" else "0", mkstream=True)
        except ResponseError as exc:
            if "BUSYGROUP" not in str(exc):
                raise
        await connected()
        after = "0"  # first what was handed to us before and never acknowledged, then (`>`) what is new
        while True:
            read = await client.xreadgroup(group, name, {config.stream: after}, count=AT_ONCE, block=WAIT_MS)
            entries = _entries(read)
            if after != ">":
                after = entries[-1][0].decode() if entries else ">"
            for entry, fields in entries:
                label = entry.decode()
                if fields is not None:  # trimmed from the stream while it waited
                    values = {key.decode(errors="replace"): value.decode(errors="replace") for key, value in fields.items()}
                    await inbox(key=f"redis:{config.stream}:{label}", source=f"{config.stream} {label}", body=_body(values), about={})
                await client.xack(config.stream, group, entry)


def _entries(read: Any) -> list[tuple[bytes, dict[bytes, bytes] | None]]:
    """Both shapes of the answer: a list of pairs, or (with RESP3) a mapping of lists of lists."""
    if not read:
        return []
    if isinstance(read, dict):
        return [entry for lists in read.values() for entries in lists for entry in entries]
    return [entry for _, entries in read for entry in entries]


def _body(values: dict[str, str]) -> str:
    """An entry with one field `data`, `event` or `payload` is its value; any other is an object of its fields."""
    if len(values) == 1 and (only := next(iter(values))) in ("data", "event", "payload"):
        return values[only]
    return json.dumps(values)


KIND = Kind(
    name="redis_stream",
    title="Redis stream",
    about="When an entry is added to a Redis or Valkey stream.",
    order=70,
    listens="topic",
    config=Config,
    describe=describe,
    check=check,
    listen=listen,
    example={
        "id": "redis:orders:1-0",
        "source": "orders 1-0",
        "type": "redis_stream",
        "time": "2026-03-01T05:00:00Z",
        "data": {"version": "orders@7"},
    },
)
