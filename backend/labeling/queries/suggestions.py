"""Reads of what became of suggestions: kept or not by people, made labels without them, and how wrong those are by the audit."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef

from backend.core.errors import NotFound
from backend.labeling.models import Annotation, AutoAccept, AutoPass, HeldBack, LabelSchema
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from workers.sdk.labels.interval import wilson
from workers.sdk.labels.kept import outcome

ELIGIBLE = (
    " FROM labeling_queueitem q JOIN LATERAL (SELECT model_version, score, result FROM labeling_suggestion WHERE item_id = q.id"
    "  ORDER BY id DESC LIMIT 1) s ON s.score BETWEEN %(threshold)s AND 1"
    " WHERE q.schema_id = %(schema)s AND NOT q.removed AND q.done = 0 AND q.free = q.wanted AND q.free > 0"
    " AND jsonb_array_length(s.result) > 0"
    " AND NOT EXISTS (SELECT 1 FROM labeling_heldback h WHERE h.item_id = q.id)"
    " AND NOT EXISTS (SELECT 1 FROM labeling_honeypot h WHERE h.item_id = q.id)"
)
"""Open items in nobody's hands whose newest suggestion is that sure. A score above 1 (or NaN) is no probability: it counts not."""


def outcomes(schema: LabelSchema) -> list[dict[str, Any]]:
    """For each model version: how many suggestions people accepted, adjusted and rejected; the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT model_version, count(*) FILTER (WHERE outcome = 'accepted'), count(*) FILTER (WHERE outcome = 'adjusted'),"
            " count(*) FILTER (WHERE outcome = 'rejected'), count(*) FROM labeling_suggestionoutcome WHERE schema_id = %s"
            " GROUP BY model_version ORDER BY max(id) DESC LIMIT 100",
            [schema.pk],
        )
        return [dict(zip(("model_version", "accepted", "adjusted", "rejected", "total"), row, strict=True)) for row in cursor.fetchall()]


class Audit(NamedTuple):
    """`waiting` items of the sample have no ground truth yet; `errors` of the `judged` are other than the model said."""

    judged: int
    errors: int
    waiting: int

    def out(self) -> dict[str, Any]:
        low, high = wilson(self.errors, self.judged)
        rate = self.errors / self.judged if self.judged else None
        return {**self._asdict(), "rate": rate, "low": low, "high": high}


def audit_of(setting: AutoAccept) -> Audit:
    """What people said of the items that passes left to them, since the setting was last changed."""
    config = wording(newest_version(setting.schema))
    rows = HeldBack.objects.filter(
        schema=setting.schema_id, part="audit", item__removed=False, auto_pass__undone_at=None, auto_pass__created_at__gte=setting.since
    )
    judged = list(rows.filter(item__truth__isnull=False).values_list("result", "item__truth__result"))
    errors = sum(outcome(config, suggested, said) != "accepted" for suggested, said in judged)
    return Audit(len(judged), errors, rows.filter(item__truth=None).count())


def auto_accept_out(schema: LabelSchema, threshold: float | None = None) -> dict[str, Any]:
    """The setting, its audit, its newest passes, and how many items the next pass would take (at `threshold`, if one is given)."""
    setting = AutoAccept.objects.filter(schema=schema).first() or AutoAccept(schema=schema)
    setting.schema = schema
    fields = ("enabled", "threshold", "audit_share", "max_error", "stopped", "status", "message")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*)" + ELIGIBLE, {"schema": schema.pk, "threshold": threshold or setting.threshold})
        eligible = cursor.fetchone()[0]
    passes = AutoPass.objects.filter(schema=schema).select_related("created_by", "undone_by").order_by("-created_at")[:50]
    return {
        **{name: getattr(setting, name) for name in fields},
        "audit": audit_of(setting).out(),
        "eligible": eligible,
        "labels": Annotation.objects.filter(schema=schema, how="model").count(),
        "passes": [pass_out(row) for row in passes],
    }


def pass_out(row: AutoPass) -> dict[str, Any]:
    fields = ("id", "threshold", "accepted", "audited", "created_by", "created_at", "undone_at", "undone_by")
    return {name: getattr(row, name) for name in fields}


def find_pass(schema: LabelSchema, id_: Any) -> AutoPass:
    found: AutoPass | None = AutoPass.objects.filter(schema=schema, pk=id_).first()
    if found is None:
        raise NotFound(what="pass", name=str(id_))
    return found


def is_audited(schema: LabelSchema, item: int) -> bool:
    return bool(
        HeldBack.objects.filter(
            Exists(AutoAccept.objects.filter(schema=OuterRef("schema"), enabled=True)), item=item, part="audit"
        ).exists()
    )
