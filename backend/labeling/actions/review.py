"""A reviewer's work: the next annotation, and a word on it."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from backend.core import mail
from backend.core.actions import audit
from backend.core.errors import InvalidInput
from backend.core.models import User
from backend.labeling.actions import auto_accept, truth
from backend.labeling.errors import AnnotationChanged, DoesNotFit, NotReviewable, OwnWork, as_problems
from backend.labeling.models import Annotation, Comment, LabelSchema, QueueItem, Review
from backend.labeling.queries.items import shown_data, took_part, wording
from backend.labeling.queries.schemas import newest_version
from workers.sdk.labels.results import check

HOLD = "15 minutes"
Verdict = Literal["accepted", "fixed", "rejected"]


def next_review(schema: LabelSchema, user: User, holding: list[UUID]) -> UUID | None:
    """The id of the next annotation that waits for a reviewer other than its author, held for `user`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT labeling_next_review(%s, %s, %s::uuid[], %s::interval)", [schema.pk, user.pk, holding, HOLD])
        found = cursor.fetchone()
    return found[0] if found else None


def review(
    request: Any, annotation: Annotation, user: User, *, verdict: Verdict, comment: str, result: Any | None, version: int
) -> Annotation:
    """Accept, accept with changes, or reject. A rejected annotation goes back to its author, with its place kept."""
    if took_part(annotation, user):
        raise OwnWork(field="annotation", hint="Ask another reviewer.")
    if (result is not None) != (verdict == "fixed"):
        raise InvalidInput(
            message="A fix says what is right, and nothing else does.", field="result", hint="Send `result` with verdict “fixed” only."
        )
    if verdict == "rejected" and not comment.strip():
        raise InvalidInput(message="Say what is wrong, so that the annotator can do better.", field="comment")
    item = annotation.item
    kept: list[Any] | None = None
    worded = newest_version(item.schema)
    if result is not None:
        config = wording(worded)
        kept, problems = check(config, result, shown_data(item, config))
        if problems:
            raise DoesNotFit(field=problems[0]["field"], problems=as_problems(problems))
    with transaction.atomic():
        QueueItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
        row = Annotation.objects.select_for_update(of=("self",)).get(pk=annotation.pk)
        if row.version != version:
            raise AnnotationChanged(version=row.version, field="version")
        if row.status != "submitted":
            raise NotReviewable(status=row.status)
        before = row.result
        if kept is not None:
            row.result, row.schema_version_id = kept, worded.pk
            row.version += 1
        row.status = "rejected" if verdict == "rejected" else "accepted"
        row.held_by, row.held_until, row.updated_at = None, None, timezone.now()
        row.save()
        Review.objects.create(
            annotation=row,
            reviewer=user,
            verdict=verdict,
            comment=comment.strip(),
            before=before if kept is not None else None,
            version=row.version,
        )
        audit.record(
            request, f"annotation.{verdict}", ("annotation", row.pk, f"{item.schema.slug} {item.key}"), before, row.result,
            project=item.schema.project,
        )  # fmt: skip
        truth.settle(item.pk)
        auto_accept.audited(item.schema, item.pk)
    return row


def comment_on(request: Any, item: QueueItem, user: User, *, text: str, asks: bool, mentions: list[UUID]) -> Comment:
    """A remark on an item; the people it names must be members of the project, and are told by mail."""
    if not text.strip():
        raise InvalidInput(message="The comment is empty.", field="text")
    project = item.schema.project
    named = list(User.objects.filter(memberships__project=project, pk__in=mentions))
    if len(named) != len(set(mentions)):
        raise InvalidInput(message="Somebody you named is not a member of this project.", field="mentions")
    with transaction.atomic():
        made = Comment.objects.create(item=item, author=user, text=text.strip(), asks=asks)
        made.mentions.set(named)
        for one in named:
            _tell(one, made)
        audit.record(request, "queue_item.comment", ("queue_item", item.pk, item.key), project=project)
    return made


def _tell(named: User, comment: Comment) -> None:
    """Mail to somebody whom a comment names; to oneself none."""
    by = comment.author
    if by is None or named == by or not named.is_active:
        return
    item, schema = comment.item, comment.item.schema
    who = " ".join((by.name or by.email).split())
    address = f"{settings.PUBLIC_URL}/p/{schema.project.slug}/labels/{schema.slug}/items/{item.pk}"
    mail.send_on_commit(
        named.email,
        f"{who} named you in {' '.join(schema.name.split())}",
        f"{who} wrote about an item of “{schema.name}”:\n\n{comment.text}\n\n{address}\n",
    )


def resolve(request: Any, comment: Comment, user: User) -> Comment:
    """Say that a comment is dealt with. Twice is once."""
    with transaction.atomic():
        row = Comment.objects.select_for_update(of=("self",)).get(pk=comment.pk)
        if row.resolved_at is None:
            row.resolved_at, row.resolved_by = timezone.now(), user
            row.save(update_fields=["resolved_at", "resolved_by"])
            item = comment.item
            audit.record(request, "queue_item.resolve", ("queue_item", item.pk, item.key), project=item.schema.project)
    return row
