"""Linking a label schema with a project of a Label Studio server, and choosing where both sides changed a task."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from backend.core import outgoing
from backend.core.actions import audit
from backend.core.errors import InvalidInput, NotFound
from backend.core.models import Project, User
from backend.core.secrets import encrypt
from backend.labeling.models import LabelSchema
from backend.labeling.queries.schemas import find_schema
from backend.labelstudio.actions.announce import SYNC, announce
from backend.labelstudio.models import Link, LinkedTask


def set_link(request: Any, project: Project, user: User, slug: str, *, url: str, token: str, remote: int | None) -> Link:
    """Link, or link elsewhere: then nothing is known of the other side yet. The first synchronisation begins at once. Without `remote` a
    project is made there."""
    schema = find_schema(project, slug)
    if schema.dataset.modality != "table":
        raise InvalidInput(message="Only rows of a table can be synchronised: pictures and files would have to be reachable from there.")
    address = outgoing.check_url(url, "url").rstrip("/")
    with transaction.atomic():
        link = Link.objects.select_for_update().filter(schema=schema).first()
        if link is not None and (link.url, link.remote) != (address, remote):
            link.delete()
            link = None
        if link is None:
            link = Link(schema=schema, url=address, remote=remote)
        if not token and not link.token:
            raise InvalidInput(message="The server asks for a token.", field="token", hint="Take one from your account there.")
        if token:
            link.token = encrypt(token)
        link.created_by = user
        _queue(link)
        link.save()
        audit.record(request, "label_link.set", ("label_schema", schema.pk, schema.slug), project=project, details={"url": address})
    return link


def sync_now(request: Any, project: Project, slug: str) -> Link:
    with transaction.atomic():
        link = find_link(find_schema(project, slug))
        if link.status not in ("queued", "running"):
            _queue(link)
            link.save()
    return link


def unlink(request: Any, project: Project, slug: str) -> None:
    """Both sides keep what they have."""
    with transaction.atomic():
        link = find_link(find_schema(project, slug))
        audit.record(request, "label_link.delete", ("label_schema", link.schema_id, slug), project=project)
        link.delete()


def choose(request: Any, project: Project, slug: str, task: int, side: str) -> Link:
    """Of a conflict: what holds on both sides after the next synchronisation, which begins at once."""
    with transaction.atomic():
        link = find_link(find_schema(project, slug))
        row = LinkedTask.objects.select_for_update().filter(link=link, item=task, conflict__isnull=False).first()
        if row is None:
            raise NotFound(what="conflict of task", name=str(task))
        row.conflict = {**row.conflict, "chosen": side}
        row.save(update_fields=["conflict"])
        audit.record(request, "label_link.choose", ("queue_item", task, str(task)), project=project, details={"side": side})
        _queue(link)
        link.save()
    return link


def find_link(schema: LabelSchema) -> Link:
    found: Link | None = Link.objects.filter(schema=schema).first()
    if found is None:
        raise NotFound(what="link of the label schema", name=schema.slug)
    return found


def _queue(link: Link) -> None:
    link.status, link.message, link.announced_at = "queued", "", timezone.now()
    announce(SYNC, link.pk)
