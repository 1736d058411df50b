"""A message on an MQTT topic, at least once: QoS 1 in a session that the broker keeps while we are away, acknowledged once the
event is committed."""

from __future__ import annotations

import hashlib
import ssl
import time
from typing import Annotated, Any

from pydantic import BaseModel, Field, SecretStr, field_validator

from backend.runs.triggers import brokers
from backend.runs.triggers.kind import Connected, Inbox, Kind


class Config(BaseModel):
    address: Annotated[str, Field(title="Broker", max_length=260, description="host:port; 1883 is usual, 8883 with TLS.")]
    topic: Annotated[str, Field(title="Topic", min_length=1, max_length=1000, description="May hold the wildcards + and #.")]
    tls: Annotated[bool, Field(title="TLS", description="Speak TLS to the broker.")] = False
    username: Annotated[str | None, Field(title="User", max_length=200)] = None
    password: Annotated[SecretStr | None, Field(title="Password", max_length=1000, description="Kept encrypted; never shown again.")] = None

    @field_validator("address")
    @classmethod
    def _address(cls, value: str) -> str:
        brokers.split(value)
        return value

    @field_validator("topic")
    @classmethod
    def _filter(cls, value: str) -> str:
        parts = value.split("/")
        if any(("#" in part or "+" in part) and len(part) > 1 for part in parts) or "#" in parts[:-1]:
            raise ValueError("a wildcard stands alone between slashes, and # only at the end")
        return value


def describe(config: Config) -> str:
    return f"when a message comes on the MQTT topic {config.topic}"


def check(config: Config) -> None:
    brokers.check([config.address], "config.address")


async def listen(config: Config, name: str, inbox: Inbox, connected: Connected) -> None:
    import aiomqtt

    host, port = brokers.split(config.address)
    client = aiomqtt.Client(
        host, port, username=config.username or None, password=config.password.get_secret_value() if config.password else None,
        identifier=name[:23], clean_session=False, protocol=aiomqtt.ProtocolVersion.V311, timeout=10,
        tls_context=ssl.create_default_context() if config.tls else None,
    )  # fmt: skip
    wire: Any = client._client  # aiomqtt acknowledges before we have committed; the client below it can wait for us
    wire.manual_ack_set(True)
    async with client:
        await client.subscribe(config.topic, qos=1)
        await connected()
        async for message in client.messages:
            body = message.payload if isinstance(message.payload, bytes | str) else str(message.payload or "").encode()
            await inbox(
                key=_key(str(message.topic), message.mid, body),
                source=str(message.topic)[:300],
                body=body,
                about={"topic": str(message.topic)},
            )
            if message.qos:
                wire.ack(message.mid, message.qos)


def _key(topic: str, mid: int, body: bytes | str) -> str:
    """MQTT names a message only while it is on its way, by a number that comes round again; a repeat has the same number and the
    same bytes, soon. A message without acknowledgement (QoS 0) has no number and is never repeated."""
    raw = body if isinstance(body, bytes) else body.encode()
    digest = hashlib.sha256(topic.encode() + b"\0" + raw).hexdigest()[:32]
    return f"mqtt:{digest}:{mid}:{int(time.time() // 3600)}" if mid else f"mqtt:{digest}:{time.time_ns()}"


KIND = Kind(
    name="mqtt",
    title="MQTT topic",
    about="When a message comes on an MQTT topic: from a device, a gateway, a plant.",
    order=80,
    listens="topic",
    config=Config,
    describe=describe,
    check=check,
    listen=listen,
    example={
        "id": "mqtt:1",
        "source": "plant/line-3/batch",
        "type": "mqtt",
        "time": "2026-03-01T05:00:00Z",
        "data": {"batch": 7},
        "topic": "plant/line-3/batch",
    },
)
