"""Writes of hosts: what is wanted of one, who may join, joining. Every one is in the audit log."""

from __future__ import annotations

import functools
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backend.core import events, limits
from backend.core.actions.audit import address, record
from backend.core.auth import hash_secret
from backend.core.context import current_request
from backend.core.errors import Conflict, NotFound
from backend.core.models import User
from backend.runs.hosts.errors import CannotServe, HostLives, JoinRefused
from backend.runs.hosts.models import Host, JoinToken
from backend.runs.hosts.queries import live

Json = dict[str, Any]
JOIN, HOST = "hrj_", "hrh_"
"""How the secrets of a join token and of a host begin: people paste them, and should see which is which."""
MOST_TOKENS = 100


def want(host_id: UUID, user: User, wanted: str) -> Host:
    """Say what a host is to do. It hears with its next beat; the ledger gives it nothing from now on unless it is to run."""
    with transaction.atomic():
        host = _locked(host_id)
        if host.wanted == wanted:
            return host
        before, host.wanted, host.wanted_at = host.wanted, wanted, timezone.now()
        host.save(update_fields=["wanted", "wanted_at"])
        record(user, f"host.{_verb(wanted)}", ("host", host.pk, host.name), details={"before": before, "wanted": wanted})
        _changed(host)
    return host


def _verb(wanted: str) -> str:
    return {"running": "start", "paused": "pause", "draining": "drain", "stopped": "stop"}[wanted]


def remove(host_id: UUID, user: User) -> None:
    """Forget a host that is gone; its token opens nothing any more. One that is heard of must be stopped first."""
    with transaction.atomic():
        host = _locked(host_id)
        if live(host) and (host.studio or host.wanted != "stopped" or host.groups):
            raise HostLives(host=host.name)
        record(user, "host.remove", ("host", host.pk, host.name))
        _changed(host)
        host.delete()


def make_token(user: User, name: str, hours: int) -> tuple[JoinToken, str]:
    """The token and its secret; the secret cannot be had again."""
    if JoinToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now()).count() >= MOST_TOKENS:
        raise Conflict(message=f"There are {MOST_TOKENS} join tokens.", hint="Revoke those that nobody uses.")
    secret = JOIN + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = JoinToken.objects.create(
            name=name,
            prefix=secret[:10],
            token_hash=hash_secret(secret),
            created_by=user,
            expires_at=timezone.now() + timedelta(hours=hours),
        )
        record(user, "join_token.create", ("join_token", token.pk, name), details={"expires_at": token.expires_at})
    return token, secret


def revoke_token(user: User, token_id: UUID) -> None:
    """Nobody joins with it any more; hosts that have joined stay."""
    with transaction.atomic():
        token = JoinToken.objects.select_for_update().filter(pk=token_id, revoked_at=None).first()
        if token is None:
            raise NotFound(what="join token", name=token_id)
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        record(user, "join_token.revoke", ("join_token", token.pk, token.name))


def join(secret: str, host_id: UUID, name: str, labels: dict[str, str]) -> Json:
    """Exchange a join token for the host's own, and say how it reaches the studio's parts. Raises JoinRefused, CannotServe."""
    tried = limits.attempt("join", "host", address(current_request()))
    with transaction.atomic():
        token = JoinToken.objects.select_for_update().filter(token_hash=hash_secret(secret)).first()
        if token is None or token.revoked_at is not None or token.expires_at <= timezone.now():
            raise JoinRefused
        ways = _ways()
        if Host.objects.filter(pk=host_id, studio=True).exists():
            raise Conflict(
                message="This is the studio's own host: its workers run already.",
                hint="Join from another machine, or with another --data-dir.",
            )
        own = HOST + secrets.token_urlsafe(32)
        fields = {"name": name, "labels": labels, "token_hash": hash_secret(own), "joined_at": timezone.now(), "joined_with": token}
        host, made = Host.objects.update_or_create(pk=host_id, defaults={**fields, "wanted": "running", "wanted_at": timezone.now()})
        token.last_used_at = timezone.now()
        token.save(update_fields=["last_used_at"])
        record(f"join token “{token.name}”", "host.join", ("host", host.pk, name), details={"new": made, "labels": labels})
        _changed(host)
    tried.succeeded()
    return {"host": host.pk, "token": own, "studio": settings.PUBLIC_URL, **ways}


def _ways() -> Json:
    """Addresses that the operator gives to hosts; empty where the studio passes them through itself, which it does for parts of its own."""
    found = {}
    for part, ours, theirs in (
        ("database", "/" in settings.DATABASES["default"]["HOST"], settings.WORKER_DATABASE_URL),
        ("broker", settings.BROKER_URL.startswith("redis+socket://"), settings.WORKER_BROKER_URL),
    ):
        if not ours and not theirs:
            raise CannotServe(part=part, hint=f"Set WORKER_{part.upper()}_URL to an address and account that hosts may use.")
        found[part] = theirs
    shared = settings.WORKER_ARTIFACT_URL or (settings.ARTIFACT_URL if "://" in settings.ARTIFACT_URL else "")
    return {**found, "artifacts": "" if shared.startswith("file://") else shared}


def _locked(host_id: UUID) -> Host:
    host: Host | None = Host.objects.select_for_update().filter(pk=host_id).first()
    if host is None:
        raise NotFound(what="host", name=host_id)
    return host


def _changed(host: Host) -> None:
    event = {"type": "hosts_changed", "seq": 0, "host": str(host.pk)}
    transaction.on_commit(functools.partial(events.send, "studio", event), robust=True)
