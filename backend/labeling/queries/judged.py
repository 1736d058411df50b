"""How well and how fast each person labels, and whether they become worse.

An annotation is judged once, by the first of: a known answer (a honeypot), a reviewer's word (accepted is right, sent back is wrong,
mended is as right as it was left), the item's ground truth where that is somebody else's or fused. A fused truth has each annotator's own
voice in it: it judges them a little too well, everybody alike.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from backend.labeling.models import Annotation, HoneypotScore, LabelSchema, Review
from workers.sdk.labels.agreement import agreement
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.drift import drift

Json = dict[str, Any]
RIGHT = 0.8
"""Agreement with what is true from which an annotation counts as right."""


def judged(schema: LabelSchema, config: LabelConfig) -> dict[UUID, list[tuple[datetime, float]]]:
    """{person: [(when they submitted, how right)]}, oldest first."""
    known = {(s.honeypot.item_id, s.user_id): s.score for s in HoneypotScore.objects.filter(schema=schema).select_related("honeypot")}
    reviewed: dict[UUID, float] = {}
    rows = Review.objects.filter(annotation__schema=schema, annotation__how="").exclude(verdict="adjudicated").order_by("created_at")
    for review in rows.select_related("annotation").iterator(chunk_size=2000):
        if review.annotation_id not in reviewed:
            said = review.annotation.result
            reviewed[review.annotation_id] = (
                1.0
                if review.verdict == "accepted"
                else 0.0
                if review.verdict == "rejected"
                else agreement(config, review.before or [], said)
            )
    found: dict[UUID, list[tuple[datetime, float]]] = defaultdict(list)
    said_rows = (
        Annotation.objects.filter(schema=schema, how="", author__isnull=False)
        .order_by("created_at", "id")
        .values_list("id", "item_id", "author_id", "created_at", "result", "item__truth_id", "item__truth__result")
    )
    for id_, item, author, at, result, truth, true in said_rows.iterator(chunk_size=2000):
        score = known.get((item, author), reviewed.get(id_))
        if score is None and truth is not None and truth != id_:
            score = agreement(config, true, result)
        if score is not None:
            found[author].append((at, score))
    return found


def people(schema: LabelSchema, config: LabelConfig, agreeing: dict[UUID, list[float]]) -> tuple[list[Json], list[Json]]:
    """(A row for each person, a row for each person and week). `agreeing`: each person's agreement with others."""
    right = judged(schema, config)
    timeline: dict[tuple[str, date], Json] = {}
    rows = []
    for row in _counts(schema, timeline):
        person = row.pop("person")
        scores = [score for _, score in right.get(person, [])]
        for at, score in right.get(person, []):
            week = timeline[str(person), _monday(at)]
            week["judged"] += 1
            week["sum"] += score
        moved = drift([score >= RIGHT for score in scores])
        with_others = agreeing.get(person, [])
        rows.append({
            "person": str(person), **row,
            "agreement": _mean(with_others), "right": _mean(scores), "judged": len(scores),
            "drift": {"before": moved.before, "now": moved.now, "z": moved.z, "worse": moved.worse} if moved else None,
        })  # fmt: skip
    weeks = [
        {"person": person, "week": week.isoformat(), "annotations": one["annotations"], "judged": one["judged"],
         "right": one["sum"] / one["judged"] if one["judged"] else None}
        for (person, week), one in sorted(timeline.items())
    ]  # fmt: skip
    return rows, weeks


def _counts(schema: LabelSchema, timeline: dict[tuple[str, date], Json]) -> list[Json]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT author_id, date_trunc('week', created_at AT TIME ZONE 'UTC')::date, count(*) FROM labeling_annotation"
            " WHERE schema_id = %s AND author_id IS NOT NULL GROUP BY 1, 2",
            [schema.pk],
        )
        for person, week, n in cursor.fetchall():
            timeline[str(person), week] = {"annotations": n, "judged": 0, "sum": 0.0}
        cursor.execute(
            "SELECT a.author_id, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY a.seconds),"
            " count(*)::float8 / count(DISTINCT (a.created_at AT TIME ZONE 'UTC')::date), max(a.created_at)::text,"
            " coalesce(max(r.reviewed), 0), coalesce(max(r.back), 0), coalesce(max(h.n), 0), max(h.score)"
            " FROM labeling_annotation a"
            " LEFT JOIN (SELECT x.author_id, count(*) AS reviewed, count(*) FILTER (WHERE v.verdict IN ('rejected', 'fixed')) AS back"
            "  FROM labeling_review v JOIN labeling_annotation x ON x.id = v.annotation_id"
            "  WHERE x.schema_id = %(schema)s AND v.verdict <> 'adjudicated' GROUP BY 1) r ON r.author_id = a.author_id"
            " LEFT JOIN (SELECT user_id, count(*) AS n, avg(score) AS score FROM labeling_honeypotscore"
            "  WHERE schema_id = %(schema)s GROUP BY 1) h ON h.user_id = a.author_id"
            " WHERE a.schema_id = %(schema)s AND a.author_id IS NOT NULL GROUP BY 1 ORDER BY 2 DESC",
            {"schema": schema.pk},
        )
        names = ("person", "annotations", "seconds", "per_day", "newest", "reviewed", "sent_back", "honeypots", "honeypot_score")
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _monday(at: datetime) -> date:
    return (at - timedelta(days=at.weekday())).date()


def _mean(scores: list[float]) -> float | None:
    return sum(scores) / len(scores) if scores else None
