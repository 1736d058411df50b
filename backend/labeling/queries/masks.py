"""What people who may not review see of a schema with honeypots: of every item only their own part, so that none looks different.

An item's progress, its ground truth, its assignment, who else holds it and what others remark would each tell a honeypot from an item that
is new to everybody.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from backend.core.models import User
from backend.core.permissions import may
from backend.labeling.models import Annotation, Comment, LabelSchema, QueueItem, Skip


def masked(schema: LabelSchema, role: str) -> bool:
    return schema.honeypot_share > 0 and not may(role, "label.review")


def own_part(out: dict[str, Any], mine: bool) -> dict[str, Any]:
    """An item as if its person were the only one."""
    return {**out, "done": out["wanted"] if mine else 0, "truth": None}


def own_annotation(out: dict[str, Any] | None) -> dict[str, Any] | None:
    return out and {**out, "to_review": False}


def own_comments(user: User) -> Q:
    return Q(author=user) | Q(mentions=user)


def labelled_by(user: User, items: list[QueueItem]) -> set[int]:
    """Which of them somebody labelled."""
    return set(Annotation.objects.filter(author=user, item__in=[i.pk for i in items]).values_list("item_id", flat=True))


def own_state(state: str, user: User) -> Q:
    """As `items._state`, of one's own part."""
    said = Annotation.objects.filter(item=OuterRef("pk"), author=user)
    found = {
        "open": ~Q(Exists(said)),
        "complete": Q(Exists(said)),
        "rejected": Q(Exists(said.filter(status="rejected"))),
        "skipped": Q(Exists(Skip.objects.filter(item=OuterRef("pk"), user=user))),
        "commented": Q(Exists(Comment.objects.filter(own_comments(user), item=OuterRef("pk"), resolved_at=None))),
        "removed": Q(),
    }
    return found.get(state, Q(pk__in=[]))


def progress(outs: list[dict[str, Any]], role: str) -> list[dict[str, Any]]:
    """Schemas as somebody may see how far they are: every annotation of theirs makes one more done."""
    if may(role, "label.review"):
        return outs
    extra = dict(
        LabelSchema.objects.filter(pk__in=[o["id"] for o in outs], honeypot_share__gt=0)
        .annotate(extra=Count("items__annotations", filter=Q(items__annotations__honeypot=True)))
        .values_list("pk", "extra")
    )
    for out in outs:
        if out["id"] in extra:
            told = out["progress"]
            done = min(told["done"] + extra[out["id"]], told["places"])
            out["progress"] = {**told, "done": done, "complete": done // max(out["overlap"], 1), "truths": 0, "to_review": 0}
    return outs
