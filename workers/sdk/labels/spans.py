"""Spans of texts among what a label schema asks for: which controls make them, and what a result says of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.sdk.labels.config import LabelConfig, LabelControl

Json = dict[str, Any]
KIND = "labels"


def spanned(config: LabelConfig) -> list[LabelControl]:
    """Controls that mark spans of a text."""
    texts = {o.name for o in config.objects if o.tag == "Text"}
    return [c for c in config.controls if c.type == KIND and c.to in texts]


def values(control: str, result: Sequence[Json]) -> list[Json]:
    """`[{start, end, text, labels}]`: what a result says of the spans of a control, in their order."""
    found = [r["value"] for r in result if r.get("from_name") == control and r.get("type") == KIND]
    kept = [{k: v[k] for k in ("start", "end", "text", "labels") if k in v} for v in found]
    return sorted(kept, key=lambda v: (v["start"], -v["end"], v["labels"]))
