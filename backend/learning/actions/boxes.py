"""How well a detector finds what people marked on items that it did not learn from: mAP@0.5, as COCO defines it."""

from __future__ import annotations

import math
from typing import Any

from backend.deployments import suggesting
from backend.deployments.asking import asking
from backend.labeling.models import QueueItem
from backend.learning.models import Loop
from backend.registry.models import ModelVersion
from workers.sdk import boxes as told
from workers.sdk import precision
from workers.sdk.labels import boxes
from workers.sdk.labels.config import LabelControl

AT = (0.5,)


def precise(loop: Loop, model: ModelVersion, control: LabelControl, labelled: list[tuple[QueueItem, Any]]) -> dict[str, Any]:
    """`value` with the interval `low` to `high` that drawing the `tested` pictures again gives; `right` of them have no box too many, none
    missing and none wrong. 0 where no picture shows anything."""
    import numpy as np

    drawn = {item.pk: boxes.drawn(regions, item.width, item.height, control.name) for item, regions in labelled}
    model_labels = [str(label) for label in model.manifest["output"]["labels"]]
    labels = [*model_labels, *sorted({box.label for one in drawn.values() for box in one} - set(model_labels))]
    codes = {label: n for n, label in enumerate(labels)}
    threshold = float(model.manifest["output"]["threshold"])
    truth, found, right = [], [], 0
    with asking(model, loop.started_by or loop.schema.created_by) as ask:
        for batch in suggesting.instances(loop.schema, QueueItem.objects.filter(pk__in=drawn), model.manifest):
            answers, _ = ask([instance for _, instance in batch])
            for (item, _), answer in zip(batch, answers, strict=True):
                real = np.array([(*box[1:5], codes[box.label]) for box in drawn[item.pk]], dtype=np.float32).reshape(-1, 5)
                # In what a model cannot answer (a damaged picture) it finds nothing.
                rows = told.rows_of(answer or {"boxes": [], "unsure": []}, labels)
                marks = precision.pairs(real, rows[rows[:, told.SCORE] >= threshold])
                right += bool((marks >= 0).all() and len(marks) == len(real))
                truth.append(real)
                found.append(rows)
    made = precision.matches(truth, found, len(labels), AT)
    value = precision.mean(precision.average(made))
    value = value if math.isfinite(value) else 0.0
    low, high = precision.interval([precision.mean(one) for one in precision.resampled(made)], value)
    return {"right": right, "tested": len(truth), "value": value, "low": low, "high": high}
