"""Bringing a message to a webhook or an ML backend, in the worker: again after a while when it does not arrive, and not for ever."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from backend.core import outgoing
from backend.core.errors import HeadraceError
from backend.core.secrets import decrypt
from backend.datasets.locks import only_one
from backend.labelstudio.actions.announce import DELIVER, announce
from backend.labelstudio.models import Backend, Delivery, Webhook

PAUSES = (10, 60, 300, 1800, 7200)
"""Seconds before each further attempt."""
PATIENCE_S = 10.0


def deliver(id_: UUID) -> None:
    """Safe to call again and at once from several workers; a message may arrive twice, never in part."""
    with only_one(f"delivery:{id_}") as mine:
        found = Delivery.objects.select_related("webhook", "backend").filter(pk=id_, status="queued").first()
        if not mine or found is None or found.due_at > timezone.now() + timedelta(seconds=1):
            return
        try:
            _send(found)
        except (httpx.HTTPError, HeadraceError, OSError) as e:
            _again(found, str(e) or type(e).__name__)
            return
        if found.webhook_id and found.webhook.failures:
            Webhook.objects.filter(pk=found.webhook_id).update(failures=0)
        found.delete()


def _send(delivery: Delivery) -> None:
    hook = delivery.webhook
    if hook is not None:
        url, headers, auth = hook.url, json.loads(decrypt(hook.headers)) if hook.headers else {}, None
    else:
        url, headers, auth = delivery.backend.url.rstrip("/") + "/webhook", {}, auth_of(delivery.backend)
    with outgoing.client(seconds=PATIENCE_S, headers=headers) as client:
        answer = outgoing.fetch(client, "POST", url, json=delivery.body, auth=auth)
    if not answer.is_success:
        raise httpx.HTTPError(f"{url} answered {answer.status_code}.")


def auth_of(backend: Backend) -> Any:
    return (backend.user, decrypt(backend.password) if backend.password else "") if backend.user else None


def _again(delivery: Delivery, message: str) -> None:
    with transaction.atomic():
        delivery.attempts, delivery.message = delivery.attempts + 1, message[:500]
        if delivery.attempts > len(PAUSES):
            delivery.status = "failed"
        else:
            pause = PAUSES[delivery.attempts - 1]
            delivery.due_at = timezone.now() + timedelta(seconds=pause)
            announce(DELIVER, delivery.pk, seconds=pause)
        delivery.save()
        if delivery.webhook_id:
            Webhook.objects.filter(pk=delivery.webhook_id).update(failures=F("failures") + 1)
