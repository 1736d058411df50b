"""A message on a Kafka topic. The consumer group's offset is committed once the event is, so nothing is lost; a message that
comes again has the same partition and offset, so nothing is run twice."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import BaseModel, Field, SecretStr, field_validator

from backend.runs.triggers import brokers
from backend.runs.triggers.kind import Connected, Inbox, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

Security = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]


class Config(BaseModel):
    brokers: Annotated[
        list[Annotated[str, Field(max_length=260)]],
        Field(title="Brokers", min_length=1, max_length=10, description="Where to begin, as host:port; the others are found from there."),
    ]
    topic: Annotated[str, Field(title="Topic", min_length=1, max_length=249, pattern=r"^[A-Za-z0-9._-]+$")]
    start: Annotated[
        Literal["latest", "earliest"],
        Field(title="Begin with", description="The first time only: with what comes from now on, or with what the topic still holds."),
    ] = "latest"
    security: Annotated[Security, Field(title="Security", description="How the brokers are spoken to.")] = "plaintext"
    mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], Field(title="SASL mechanism", json_schema_extra={"x-advanced": True})
    ] = "PLAIN"
    username: Annotated[str | None, Field(title="User", max_length=200)] = None
    password: Annotated[SecretStr | None, Field(title="Password", max_length=1000, description="Kept encrypted; never shown again.")] = None
    group: Annotated[
        str | None,
        Field(
            title="Consumer group", max_length=200, json_schema_extra={"x-advanced": True}, description="Empty: one of this trigger's own."
        ),
    ] = None

    @field_validator("brokers")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        for address in value:
            brokers.split(address)
        return value


class Record(Protocol):
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Any


class Consumer(Protocol):
    """What is used of `aiokafka.AIOKafkaConsumer`."""

    def __aiter__(self) -> AsyncIterator[Record]: ...

    async def commit(self, offsets: Mapping[Any, int]) -> None: ...


def describe(config: Config) -> str:
    return f"when a message comes on the Kafka topic {config.topic}"


def check(config: Config) -> None:
    brokers.check(config.brokers, "config.brokers")


async def listen(config: Config, name: str, inbox: Inbox, connected: Connected) -> None:
    """Connect and hand over; raises what the client raises when the broker is away."""
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(config.topic, **options(config, name))
    await consumer.start()
    try:
        await connected()
        await consume(consumer, inbox)
    finally:
        await consumer.stop()


def options(config: Config, name: str) -> dict[str, Any]:
    """The consumer's arguments. Offsets are never committed by themselves."""
    found: dict[str, Any] = {
        "bootstrap_servers": config.brokers, "group_id": config.group or name, "client_id": name, "enable_auto_commit": False,
        "auto_offset_reset": config.start, "security_protocol": config.security.upper(), "max_poll_records": 100,
        "fetch_max_bytes": 4 * 1024 * 1024,
    }  # fmt: skip
    if "ssl" in config.security.split("_"):
        found["ssl_context"] = ssl.create_default_context()
    if config.security.startswith("sasl"):
        found |= {
            "sasl_mechanism": config.mechanism, "sasl_plain_username": config.username or "",
            "sasl_plain_password": config.password.get_secret_value() if config.password else "",
        }  # fmt: skip
    return found


async def consume(consumer: Consumer, inbox: Inbox) -> None:
    """Each message: first the event, then the offset after it."""
    from aiokafka import TopicPartition

    async for record in consumer:
        headers = {key: value.decode(errors="replace") for key, value in record.headers or () if value is not None}
        await inbox(
            key=f"kafka:{record.topic}:{record.partition}:{record.offset}", source=f"{record.topic} [{record.partition}] {record.offset}",
            body=record.value or b"",
            about={"headers": headers, "key": record.key.decode(errors="replace") if record.key else None, "cloud_events": "ce_"},
        )  # fmt: skip
        await consumer.commit({TopicPartition(record.topic, record.partition): record.offset + 1})


KIND = Kind(
    name="kafka",
    title="Kafka topic",
    about="When a message comes on a Kafka topic.",
    order=60,
    listens="topic",
    config=Config,
    describe=describe,
    check=check,
    listen=listen,
    example={
        "id": "kafka:orders:0:42",
        "source": "orders [0] 42",
        "type": "kafka",
        "time": "2026-03-01T05:00:00Z",
        "data": {"version": "orders@7"},
    },
)
