"""Linking a label schema with a project of a Label Studio server, and choosing where both sides changed a task."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from backend.core import outgoing
from backend.core.actions import audit
from backend.core.errors import InvalidInput, NotFound
from backend.core.models import Membership, Project, User
from backend.core.secrets import encrypt
from backend.labeling.actions import outsiders
from backend.labeling.models import Annotation, LabelSchema
from backend.labeling.queries.schemas import find_schema
from backend.labelstudio.actions.announce import SYNC, announce, later
from backend.labelstudio.actions.tasks import annotate, bring_back
from backend.labelstudio.models import Conflict, Deletion, Link


def set_link(
    request: Any,
    project: Project,
    user: User,
    slug: str,
    *,
    url: str,
    token: str,
    remote: int | None,
    every_minutes: int | None,
    tell_truth: bool = False,
) -> Link:
    """Link, or link elsewhere: then nothing is known of the other side yet. The first synchronisation begins at once. Without `remote` a
    project is made there, or the one that was made stays."""
    schema = find_schema(project, slug)
    address = outgoing.check_url(url, "url").rstrip("/")
    with transaction.atomic():
        link = Link.objects.select_for_update().filter(schema=schema).first()
        if link is not None and (link.url, link.remote) != (address, remote or link.remote):
            link.delete()
            link = None
        if link is None:
            link = Link(schema=schema, url=address, remote=remote)
        if not token and not link.token:
            raise InvalidInput(message="The server asks for a token.", field="token", hint="Take one from your account there.")
        if token:
            link.token = encrypt(token)
        link.created_by, link.every_minutes, link.tell_truth = user, every_minutes, tell_truth
        _queue(link)
        link.save()
        audit.record(
            request,
            "label_link.set",
            ("label_schema", schema.pk, schema.slug),
            project=project,
            details={"url": address, "tell_truth": tell_truth},
        )
    return link


def sync_now(request: Any, project: Project, slug: str) -> Link:
    with transaction.atomic():
        link = find_link(find_schema(project, slug), lock=True)
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


def set_schedule(request: Any, project: Project, slug: str, every_minutes: int | None) -> Link:
    """How often it begins by itself; None: only when somebody asks."""
    with transaction.atomic():
        link = find_link(find_schema(project, slug), lock=True)
        link.every_minutes = every_minutes
        link.next_at = timezone.now() + timedelta(minutes=every_minutes) if every_minutes else None
        link.save(update_fields=["every_minutes", "next_at"])
        audit.record(
            request,
            "label_link.schedule",
            ("label_schema", link.schema_id, slug),
            project=project,
            details={"every_minutes": every_minutes},
        )
        later(link)
    return link


def cancel(project: Project, slug: str) -> Link:
    """The one that runs stops at the next thing it does; what it did stays, and the next one goes on from there."""
    with transaction.atomic():
        link = find_link(find_schema(project, slug), lock=True)
        if link.status == "queued":
            link.status, link.message = "cancelled", ""
        link.stop = link.status == "running"
        link.save(update_fields=["status", "message", "stop"])
    return link


def choose(request: Any, project: Project, slug: str, conflict: int | None, side: str) -> Link:
    """Of a conflict, or (None) of all: what holds on both sides after the next synchronisation, which begins at once."""
    with transaction.atomic():
        link = find_link(find_schema(project, slug), lock=True)
        rows = Conflict.objects.select_for_update(of=("self",)).select_related("task__item").filter(task__link=link)
        found = list(rows if conflict is None else rows.filter(pk=conflict))
        if conflict is not None and not found:
            raise NotFound(what="conflict", name=str(conflict))
        for row in found:
            row.chosen = side
            audit.record(
                request, "label_link.choose", ("queue_item", row.task.item_id, f"{slug} {row.task.item.key}"), row.ours, row.theirs,
                project=project, details={"side": side, "kind": row.kind, "why": row.why, "task": row.task.remote},
            )  # fmt: skip
        Conflict.objects.bulk_update(found, ["chosen"])
        _queue(link)
        link.save()
    return link


def undo(request: Any, project: Project, slug: str, deletion: int) -> Link:
    """What a synchronisation deleted is here again, and there after the next one, which begins at once."""
    with transaction.atomic():
        link = find_link(find_schema(project, slug), lock=True)
        rows = Deletion.objects.select_for_update(of=("self",)).select_related("item__schema__project", "item__assignment")
        row = rows.filter(pk=deletion, link=link, undone_at=None).first()
        if row is None:
            raise NotFound(what="deletion", name=str(deletion))
        if row.what == "task":
            bring_back(row.item.schema, [row.item_id])
        else:
            _say_again(request, row)
        row.undone_at = timezone.now()
        row.save(update_fields=["undone_at"])
        audit.record(
            request, "label_link.undo", ("queue_item", row.item_id, f"{slug} {row.item.key}"), after=row.before, project=project,
            details={"what": row.what},
        )  # fmt: skip
        _queue(link)
        link.save()
    return link


def _say_again(request: Any, row: Deletion) -> None:
    """In the name of whoever said it, where they are still here and have said nothing else meanwhile."""
    before = row.before
    email = before.get("email") or ""
    members = Membership.objects.select_related("user").filter(project=row.item.schema.project)
    member = members.filter(user=before["author"]).first() if before["author"] else members.filter(user__email=email).first()
    if member is not None and not Annotation.objects.filter(item=row.item, author=member.user).exists():
        annotate(request, row.item, member.user, {"result": before["result"], "lead_time": before["seconds"]})
    else:
        outsiders.say_for(request, row.item, before["author_name"] or before["by"], before["result"], before["seconds"])


def find_link(schema: LabelSchema, *, lock: bool = False) -> Link:
    rows = Link.objects.select_for_update() if lock else Link.objects
    found: Link | None = rows.filter(schema=schema).first()
    if found is None:
        raise NotFound(what="link of the label schema", name=schema.slug)
    return found


def _queue(link: Link) -> None:
    link.status, link.message, link.announced_at, link.stop = "queued", "", timezone.now(), False
    announce(SYNC, link.pk)
