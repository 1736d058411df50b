"""The measured quality of a schema as people may see it, where people differ, and its honeypots."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, Q

from backend.core.models import User
from backend.core.permissions import may
from backend.core.queries.pages import paginate
from backend.labeling.models import Annotation, Disagreement, Honeypot, LabelSchema, Measurement, Pause

NONE: dict[str, Any] = {
    "items": 0, "agreement": None, "controls": [], "labels": [], "pairs": [], "confusions": [], "people": [], "timeline": [],
}  # fmt: skip


def quality(schema: LabelSchema, user: User, role: str) -> dict[str, Any]:
    """`QualityOut`. Who may not review sees their own figures only, and nothing of honeypots."""
    last = Measurement.objects.filter(schema=schema).first()
    figures = {**NONE, **(last.figures if last else {})}
    everything = may(role, "label.review")
    if not everything:
        me = str(user.pk)
        mine = [{**p, "honeypots": 0, "honeypot_score": None, "skills": {}} for p in figures["people"] if p["person"] == me]
        figures = {**NONE, "people": mine, "timeline": [w for w in figures["timeline"] if w["person"] == me]}
    named = {p["person"] for p in figures["people"]} | {p[end] for p in figures["pairs"] for end in ("one", "other")}
    pauses = Pause.objects.filter(schema=schema, lifted_at=None).select_related("user").order_by("created_at")
    return {
        "status": last.status if last else "ready",
        "message": last.message if last else "",
        "measured_at": last.measured_at if last else None,
        "annotations": last.annotations if last else 0,
        "now": Annotation.objects.filter(schema=schema, how="").count(),
        "own": not everything,
        **figures,
        "users": list(User.objects.filter(pk__in=named)),
        "pauses": [
            {"user": p.user, "reason": p.reason, "created_at": p.created_at} for p in (pauses if everything else pauses.filter(user=user))
        ],
    }


def differing(
    schema: LabelSchema, *, control: str | None, said: str | None, other: str | None, person: UUID | None, beside: UUID | None,
    cursor: str | None, limit: int,
) -> dict[str, Any]:  # fmt: skip
    """A page of the disagreements of the last measurement. `said` and `other` are labels ('' is nothing), `person` and `beside` people; a
    pair is meant whichever of them comes first."""
    rows = Disagreement.objects.filter(schema=schema)
    if control is not None:
        rows = rows.filter(control=control)
    forward, backward = Q(), Q()
    for value, one, two in (
        (said, "said_one", "said_other"),
        (other, "said_other", "said_one"),
        (person, "one", "other"),
        (beside, "other", "one"),
    ):
        if value is not None:
            forward &= Q(**{one: value})
            backward &= Q(**{two: value})
    page: Any = paginate(rows.filter(forward | backward).select_related("item", "one", "other"), ("id",), cursor, limit)
    fields = ("id", "control", "one", "other", "said_one", "said_other", "score")
    items = [
        {**{f: getattr(row, f) for f in fields}, "item": row.item_id, "key": row.item.key, "position": row.item.position}
        for row in page["items"]
    ]
    return {**page, "items": items}


def honeypots(schema: LabelSchema, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of them, newest first, with how people answered."""
    rows = (
        Honeypot.objects.filter(schema=schema)
        .select_related("item", "created_by")
        .annotate(answers=Count("scores"), score=Avg("scores__score"))
    )
    page: Any = paginate(rows, ("-id",), cursor, limit)
    fields = ("source", "created_by", "created_at", "answers", "score")
    return {
        **page,
        "items": [
            {**{f: getattr(r, f) for f in fields}, "item": r.item_id, "key": r.item.key, "position": r.item.position} for r in page["items"]
        ],
    }
