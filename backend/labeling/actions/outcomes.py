"""What people make of suggestions, counted as they submit: from what they were shown and what they said, not from what a browser claims."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from backend.labeling.models import QueueItem
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.kept import outcome


def record(item: QueueItem, config: LabelConfig, annotation: UUID | str, result: Sequence[dict[str, Any]]) -> None:
    """One row for each model version whose newest suggestion the item has; another submission takes the place of the first. The caller is
    in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (model_version) model_version, result::text FROM labeling_suggestion WHERE item_id = %s"
            " ORDER BY model_version, id DESC",
            [item.pk],
        )
        found = [(model, kept) for model, said in cursor.fetchall() if (kept := outcome(config, json.loads(said), result)) is not None]
        if found:
            cursor.execute(
                "INSERT INTO labeling_suggestionoutcome (annotation_id, schema_id, model_version, outcome)"
                " SELECT %s, %s, * FROM unnest(%s::text[], %s::text[])"
                " ON CONFLICT (annotation_id, model_version) DO UPDATE SET outcome = excluded.outcome",
                [annotation, item.schema_id, [model for model, _ in found], [kept for _, kept in found]],
            )
