"""Labels in doubt, as far as somebody may see them."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, QuerySet

from backend.core.errors import NotFound
from backend.core.models import User
from backend.core.permissions import may
from backend.labeling.models import Annotation, LabelSchema
from backend.labeling.queries import masks
from backend.labeling.queries.items import of_theirs, wording
from backend.labeling.queries.schemas import newest_version
from backend.similarity.models import Doubt, DoubtCheck
from backend.similarity.queries.said import single_choice

FEWEST = 20
"""Labels with which a look for wrong ones begins to make sense."""
DECISIONS = ("kept", "relabelled", "review")


def seen(schema: LabelSchema, user: User, role: str) -> QuerySet[Doubt]:
    """Others' labels only where they are seen elsewhere too."""
    rows: QuerySet[Doubt] = Doubt.objects.filter(schema=schema, item__removed=False)
    if (schema.blind or masks.masked(schema, role)) and not may(role, "label.review"):
        rows = rows.filter(annotation__in=Annotation.objects.filter(of_theirs(user)))
    return rows


def find_doubt(schema: LabelSchema, id_: int) -> Doubt:
    found: Doubt | None = (
        Doubt.objects.select_related("annotation__author", "item__schema__project", "item__assignment")
        .filter(schema=schema, pk=id_)
        .first()
    )
    if found is None:
        raise NotFound(what="label in doubt", name=str(id_))
    return found


def check_out(schema: LabelSchema, user: User, role: str) -> dict[str, Any]:
    """Where the look stands and how much is left to decide."""
    row = DoubtCheck.objects.filter(schema=schema).select_related("space").first()
    control = single_choice(wording(newest_version(schema)))
    counts = seen(schema, user, role).aggregate(
        open=Count("pk", filter=Q(decision="")), **{name: Count("pk", filter=Q(decision=name)) for name in DECISIONS}
    )
    fields = ("status", "message", "checked", "left_out", "agree", "expected", "checked_at")
    told = {name: getattr(row, name) for name in fields} if row else None
    return {
        "check": told, "question": control.name if control else None,
        "choices": [label.value for label in control.labels] if control else [], **counts,
    }  # fmt: skip


def doubts_out(schema: LabelSchema, user: User, role: str, decided: bool, limit: int) -> list[dict[str, Any]]:
    """The most doubtful first; or what was decided, newest first."""
    rows = seen(schema, user, role).select_related("item", "annotation__author", "decided_by")
    rows = rows.exclude(decision="").order_by("-decided_at", "-id") if decided else rows.filter(decision="").order_by("score", "id")
    return [doubt_out(row) for row in rows[:limit]]


def doubt_out(row: Doubt) -> dict[str, Any]:
    fields = ("id", "given", "suggested", "score", "decision", "label", "decided_by", "decided_at")
    item = row.item
    return {
        **{name: getattr(row, name) for name in fields}, "item": row.item_id, "key": item.key, "digest": item.digest,
        "media_type": item.media_type, "data": item.data, "author": row.annotation.author, "annotation": row.annotation_id,
        "author_name": row.annotation.author_name, "position": item.position,
    }  # fmt: skip
