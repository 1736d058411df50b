"""Requests to a webhook's address: who signed them, what they say, and that each is taken once.

Two signatures are understood, both HMAC-SHA256 with the trigger's secret:
    X-Headrace-Signature: t=<seconds since 1970>,v1=<hex of HMAC over "t.body">
    X-Hub-Signature-256: sha256=<hex of HMAC over the body>                       as GitHub signs
The first is good for a short time; either is good once: a request that somebody recorded and sends again, with other headers,
is answered with the event that it made the first time.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from backend.core.errors import NotFound, TooLarge, TooManyRequests
from backend.core.secrets import decrypt
from backend.runs.triggers.errors import HookRefused
from backend.runs.triggers.events import cloud_event, envelope, parse_json
from backend.runs.triggers.kinds.webhook import Config
from backend.runs.triggers.models import Trigger, TriggerEvent
from backend.runs.triggers.receive import receive

PER_MINUTE = 600
"""Requests of one webhook that are kept; more are told to slow down."""
SIGNING = "signing"
"""The name of the key among a trigger's secrets."""


def find_hook(token: str) -> Trigger:
    found = (
        Trigger.objects.select_related("project")
        .filter(hook=token[:60], kind="webhook", deleted_at=None, project__archived_at=None)
        .first()
    )
    if found is None:
        raise NotFound(what="webhook", name=token[:60])
    return found


def take_request(token: str, body: bytes | None, headers: Mapping[str, str]) -> TriggerEvent:
    """The event of a request; `body` is None when it was longer than MOST_BYTES."""
    trigger = find_hook(token)
    if body is None:
        raise TooLarge(message="The body is larger than 64 KiB.", hint="Put the data into a data set, and say in the event where it is.")
    config = Config.model_validate(trigger.config)
    nonce = _signed(trigger, config, body, headers)
    value = parse_json(body) if body else {}
    kind = headers.get("X-GitHub-Event", "")[:200]
    said = cloud_event(value, {name[3:].lower(): text for name, text in headers.items() if name.lower().startswith("ce-")})
    if said is not None:
        payload, key = said
    else:
        own = headers.get("Idempotency-Key", "").replace("\0", "")
        key = f"key:{own}" if own else f"body:{hashlib.sha256(body).hexdigest()}"
        payload = envelope(kind or "webhook", trigger.slug, value, id=own or key)
    if len(key) > 200:
        key = f"long:{hashlib.sha256(key.encode()).hexdigest()}"
    known = trigger.events.filter(key=key).first()
    if known is not None:
        return known
    if trigger.events.filter(received_at__gt=timezone.now() - timedelta(minutes=1)).count() >= PER_MINUTE:
        raise TooManyRequests(message=f"More than {PER_MINUTE} requests came within a minute.", retry_after=30)
    other = config.types and payload["type"] not in config.types
    ignored = f"Its type is {payload['type']}; this trigger takes {', '.join(config.types)[:200]}." if other else ""
    return receive(trigger, key=key, source=payload["source"] if said else "webhook", payload=payload, nonce=nonce, ignored=ignored)[0]


def _signed(trigger: Trigger, config: Config, body: bytes, headers: Mapping[str, str]) -> str:
    """What names this signature; raises HookRefused."""
    key = decrypt(trigger.secrets[SIGNING]).encode()
    if ours := headers.get("X-Headrace-Signature", ""):
        parts = dict(part.strip().partition("=")[::2] for part in ours.split(","))
        moment, given = parts.get("t", ""), parts.get("v1", "")
        if not (moment.isascii() and moment.isdigit() and len(moment) < 15 and given):
            raise HookRefused(reason="X-Headrace-Signature is not of the form t=…,v1=…", field="X-Headrace-Signature")
        if abs(time.time() - int(moment)) > config.tolerance_s:
            raise HookRefused(
                reason=f"it was signed more than {config.tolerance_s} s from now",
                field="X-Headrace-Signature",
                hint="Is the sender's clock right?",
            )
        _same(hmac.new(key, moment.encode() + b"." + body, hashlib.sha256), given, "X-Headrace-Signature")
        return hashlib.sha256(f"{moment}.{given.lower()}".encode()).hexdigest()
    if hub := headers.get("X-Hub-Signature-256", ""):
        _same(hmac.new(key, body, hashlib.sha256), hub.removeprefix("sha256="), "X-Hub-Signature-256")
        return hashlib.sha256(hub.lower().encode()).hexdigest()
    raise HookRefused(reason="there is none", hint="Send X-Headrace-Signature, or X-Hub-Signature-256 as GitHub does.")


def _same(made: Any, given: str, header: str) -> None:
    if not hmac.compare_digest(made.hexdigest().encode(), given.lower().encode("utf-8", "replace")):
        raise HookRefused(reason="it does not belong to this body and secret", field=header)
