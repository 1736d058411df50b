"""What a detector answers, as suggestions: the question that it answers, and the regions of its boxes."""

from __future__ import annotations

import secrets
from typing import Any

from backend.deployments.errors import CannotSuggest
from backend.labeling.models import LabelSchema, QueueItem
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from workers.sdk.labels import boxes
from workers.sdk.labels.config import LabelControl

Json = dict[str, Any]


def finds(manifest: Json) -> bool:
    return bool(manifest.get("output", {}).get("kind") == "detection")


def question(manifest: Json, schema: LabelSchema, name: str) -> LabelControl:
    """The boxes of a schema that a detector draws; raises CannotSuggest with the reason. `name` is what people call the model."""
    labels = [str(label) for label in manifest["output"]["labels"]]
    if schema.dataset.modality != "images":
        raise CannotSuggest(by=name, why="its model takes pictures")
    config = wording(newest_version(schema))
    found = boxes.control_for(config, labels)
    if found is None:
        some = boxes.control_for(config)
        missing = ", ".join(f"“{label}”" for label in labels if some is None or label not in some.values)
        why = f"“{some.name}” has no label {missing}" if some else "its model draws boxes, and this schema asks for none"
        raise CannotSuggest(by=name, why=why, hint="Add the label to the question." if some else "Add <RectangleLabels> to the question.")
    return found


def said(control: LabelControl, answer: Json, item: QueueItem) -> list[Json]:
    """The boxes from the model's threshold on. None is an answer too: what the model sees nothing in has its place in the queue."""
    told = answer["boxes"]
    return boxes.regions(told, control, [secrets.token_hex(5) for _ in told], item.width, item.height)
