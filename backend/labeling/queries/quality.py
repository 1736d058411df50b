"""How far annotators agree: per pair of people, per control, beyond chance. Computed from the newest annotations, at most `MOST` items
of them, so that the page of a million items costs what that of ten thousand does."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import Any

from django.db import connection

from backend.core.models import User
from backend.labeling.models import LabelSchema
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from workers.sdk.labels.agreement import of_control
from workers.sdk.labels.reliability import cohen, krippendorff

MOST = 5_000


def quality(schema: LabelSchema) -> dict[str, Any]:
    """`AgreementOut`."""
    config = wording(newest_version(schema))
    items = _said(schema)
    controls = [c for c in config.controls if not c.per_region]
    sums: dict[str, list[float]] = defaultdict(list)
    between: dict[tuple[Any, Any], list[float]] = defaultdict(list)
    answers: dict[str, list[list[str]]] = {c.name: [] for c in controls if c.type == "choices" and not c.multiple}
    paired: dict[tuple[str, Any, Any], list[tuple[str, str]]] = defaultdict(list)
    confused: dict[tuple[str, str, str], int] = defaultdict(int)
    for said in items:
        chosen = {name: {author: c for author, result in said if (c := _choice(result, name)) is not None} for name in answers}
        for name, by_author in chosen.items():
            answers[name].append(list(by_author.values()))
        for (one, first), (other, second) in combinations(sorted(said, key=lambda s: str(s[0])), 2):
            scores = []
            for control in controls:
                score = of_control(control, first, second)
                if score is not None:
                    scores.append(score)
                    sums[control.name].append(score)
            between[one, other].append(sum(scores) / len(scores) if scores else 1.0)
            for name, by_author in chosen.items():
                if one in by_author and other in by_author:
                    a, b = by_author[one], by_author[other]
                    paired[name, one, other].append((a, b))
                    confused[name, min(a, b), max(a, b)] += 1
    people = {u.pk: u for u in User.objects.filter(pk__in={p for pair in between for p in pair})}
    return {
        "items": len(items),
        "agreement": _mean([score for scores in between.values() for score in scores]),
        "controls": [
            {
                "control": c.name, "type": c.type, "agreement": _mean(sums[c.name]), "pairs": len(sums[c.name]),
                "alpha": krippendorff(answers[c.name]) if c.name in answers else None,
            }
            for c in controls
        ],
        "people": [
            {
                "one": people[one], "other": people[other], "items": len(scores), "agreement": _mean(scores),
                "kappa": {name: cohen(paired[name, one, other]) for name in answers if paired[name, one, other]},
            }
            for (one, other), scores in sorted(between.items(), key=lambda p: -len(p[1]))
            if one in people and other in people
        ],
        "confusions": [
            {"control": name, "one": a, "other": b, "count": n}
            for (name, a, b), n in sorted(confused.items(), key=lambda p: -p[1])
            if a != b
        ][:50],
    }  # fmt: skip


def _choice(result: list[dict[str, Any]], name: str) -> str | None:
    found = next((r["value"]["choices"][0] for r in result if r.get("from_name") == name), None)
    return found if isinstance(found, str) else None


def _mean(scores: list[float]) -> float | None:
    return sum(scores) / len(scores) if scores else None


def _said(schema: LabelSchema) -> list[list[tuple[Any, list[dict[str, Any]]]]]:
    """[(author, result)] of each complete item with at least two annotations that were not rejected, the newest items first."""
    import json

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT q.id, array_agg(a.author_id ORDER BY a.created_at), array_agg(a.result ORDER BY a.created_at) FROM labeling_queueitem q"
            " JOIN labeling_annotation a ON a.item_id = q.id WHERE q.schema_id = %s AND q.wanted > 1 AND q.done >="
            " q.wanted AND NOT q.removed"
            " AND a.status <> 'rejected' AND a.author_id IS NOT NULL GROUP BY q.id HAVING count(*) > 1 ORDER BY"
            " max(a.created_at) DESC LIMIT %s",
            [schema.pk, MOST],
        )
        rows = cursor.fetchall()
    return [
        [(author, json.loads(r) if isinstance(r, str) else r) for author, r in zip(authors, results, strict=True)]
        for _, authors, results in rows
    ]
