"""What somebody may see of the labels of a schema's items, as SQL: the same rules as `labeling.queries.items.visible`, for many at once.

The label is of the schema's first question with one choice; other schemas have items that are labelled or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.core.models import User
from backend.core.permissions import may
from backend.labeling.models import LabelSchema
from backend.labeling.queries import masks
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from workers.sdk.labels.config import LabelConfig, LabelControl

OWN = (
    "(a.author_id = %(user)s OR EXISTS (SELECT 1 FROM labeling_annotation_coauthors c"
    " WHERE c.annotation_id = a.id AND c.user_id = %(user)s))"
)
LABEL = (
    "jsonb_path_query_first({of}, '$[*] ? (@.type == \"choices\" && @.from_name == $c).value.choices[0]',"
    " jsonb_build_object('c', %(control)s::text)) #>> '{{}}'"
)


def single_choice(config: LabelConfig) -> LabelControl | None:
    """The first question about the whole item with one answer of several."""
    return next((c for c in config.controls if c.tag == "Choices" and not c.multiple and not c.per_region), None)


@dataclass(frozen=True, kw_only=True)
class Said:
    """`join` gives `said` (id, author, label, mine) for a queue item `q`, from `parameters`."""

    join: str
    parameters: dict[str, Any]


def said(schema: LabelSchema, user: User, role: str) -> Said:
    seen = OWN if schema.blind or masks.masked(schema, role) else "true"
    if schema.blind and may(role, "label.review"):
        seen = f"({OWN} OR q.done >= q.wanted)"
    control = single_choice(wording(newest_version(schema)))
    return Said(
        join=(
            f" LEFT JOIN LATERAL (SELECT a.id, a.author_id AS author, {LABEL.format(of='a.result')} AS label, {OWN} AS mine"  # noqa: S608 - our own words
            "  FROM labeling_annotation a WHERE a.item_id = q.id AND a.status <> 'rejected' AND (NOT a.honeypot OR a.author_id = %(user)s)"
            f"  AND {seen} ORDER BY (a.id = q.truth_id) IS TRUE DESC, a.created_at LIMIT 1) said ON true"
        ),
        parameters={"user": user.pk, "control": control.name if control else ""},
    )
