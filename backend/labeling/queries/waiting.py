"""Why somebody gets nothing: what others hold, and what waits for others."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from backend.core import presence
from backend.core.models import User
from backend.core.permissions import may
from backend.labeling.models import Annotation, LabelSchema, Lease, QueueItem
from backend.labeling.queries import masks


def suggestible(schema: LabelSchema) -> QuerySet[QueueItem]:
    """What a model is asked about: items with a free place; and honeypots, which would be noticed if they alone had no suggestion."""
    return QueueItem.objects.filter(Q(free__gt=0) | Q(honeypot__isnull=False), schema=schema, removed=False)


def places_taken(schema: LabelSchema, user: User) -> int:
    """Places that others hold now, and may give back. One's own, of what is on its way to the studio, is not in other hands."""
    return Lease.objects.filter(schema=schema, until__gte=timezone.now(), honeypot=False).exclude(user=user).count()


def here(schema: LabelSchema, user: User, role: str) -> list[dict[str, Any]]:
    """Who has which item open now, once each; in a blind schema, and where an item must not be told from a honeypot, only whoever manages
    labels sees others."""
    told = {(one["user"], one["item"], one["doing"]) for one in presence.present(str(schema.pk))}
    alone = not may(role, "label.manage") and (schema.blind or masks.masked(schema, role))
    people = User.objects.filter(pk__in=[user.pk] if alone else {id_ for id_, _, _ in told}, memberships__project=schema.project)
    names = {str(one.pk): one for one in people}
    return [{"user": names[id_], "item": item, "doing": doing} for id_, item, doing in sorted(told) if id_ in names]


def reviews(schema: LabelSchema) -> int:
    """Annotations that wait for a reviewer."""
    return Annotation.objects.filter(schema=schema, to_review=True, status="submitted").count()


def only(user: User, role: str) -> Any:
    """Whose work somebody may see the figures of: None for everybody's."""
    return None if may(role, "label.review") else user.pk
