"""Reads of `learning`: how many labels there are, which items are held out, and the curve."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from backend.labeling.models import HeldBack, LabelSchema, QueueItem
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from backend.learning.models import Draw, Loop, Round
from backend.pipelines.models import Pipeline
from backend.pipelines.queries import draft
from workers.sdk.graph import Graph
from workers.sdk.labels import boxes, spans
from workers.sdk.labels.config import LabelControl
from workers.sdk.labels.interval import wilson
from workers.sdk.texts import looks_free

READERS = {"images": "read_images", "table": "read_table", "text": "read_table"}
"""The component that reads a data set of each kind."""
TEMPLATES = {"images": "image-classification", "table": "table-classification", "text": "text-classification"}
BOXES, SPANS = "object-detection", "span-tagging"
"""The templates for images on which boxes are drawn, and for texts in which spans are marked."""
MEASURES = {"choices": "accuracy", boxes.KIND: "map_50", spans.KIND: "f1"}
"""What models are judged by, by the type of the question that they learn."""
TRAINERS = {boxes.KIND: "train_object_detector", spans.KIND: "train_span_tagger"}
"""The components by which a pipeline that learns anything but classes is known."""
LOOKED_AT = 200
"""Items whose values say whether a table is about texts."""
SPARED = 30
"""Items of the random sample that must be left to measure a draw on."""
TEST_READY = 0.9
"""Share of the test items that must have a label before the first round: some may be skipped for good."""


def said(schema: LabelSchema) -> QuerySet[QueueItem]:
    """Items whose ground truth people said."""
    return QueueItem.objects.filter(schema=schema, removed=False, truth__isnull=False).exclude(truth__how="model")


def held_out(schema: LabelSchema) -> QuerySet[QueueItem]:
    return QueueItem.objects.filter(schema=schema, removed=False, held_back__part="test")


def learnable(schema: LabelSchema) -> QuerySet[QueueItem]:
    """What a round may learn from."""
    return said(schema).exclude(pk__in=HeldBack.objects.filter(schema=schema, part="test").values("item"))


def sample(schema: LabelSchema) -> QuerySet[QueueItem]:
    """Test and seed items with a label: drawn at random from the whole queue, whatever a model thinks of them."""
    return said(schema).filter(held_back__part__in=["test", "seed"])


def question(schema: LabelSchema) -> LabelControl | None:
    """What is learned: the first single choice about the whole item, or else boxes on images, or spans of a text."""
    config = wording(newest_version(schema))
    for control in config.controls:
        if control.type == "choices" and not control.multiple and not control.per_region:
            return control
    if schema.dataset.modality == "images":
        return boxes.control_for(config)
    return next(iter(spans.spanned(config)), None) if schema.dataset.modality in ("table", "text") else None


def find_loop(schema: LabelSchema) -> Loop | None:
    found: Loop | None = Loop.objects.select_related("pipeline__pipeline", "dataset", "started_by").filter(schema=schema).first()
    return found


def reads_and_registers(graph: Graph) -> tuple[list[str], list[str]]:
    """(Steps that read a data set, steps that register a model) of a pipeline, at its top."""
    steps = graph["steps"].items()
    reads = [key for key, step in steps if step["component"] in READERS.values()]
    return reads, [key for key, step in steps if step["component"] == "register_model"]


def loop_out(schema: LabelSchema) -> dict[str, Any] | None:
    loop = find_loop(schema)
    if loop is None:
        return None
    rounds = list(loop.rounds.select_related("version__dataset", "run", "model_version__model").order_by("number"))
    labels = learnable(schema).count()
    test = held_out(schema)
    last = rounds[-1].labels if rounds else 0
    fields = ("control", "measure", "every", "test_size", "draws", "active", "message", "started_by", "started_at", "stopped_at")
    return {
        **{name: getattr(loop, name) for name in fields},
        "pipeline": loop.pipeline.pipeline.slug,
        "pipeline_name": loop.pipeline.pipeline.name,
        "dataset": loop.dataset.slug if loop.dataset else None,
        "labels": labels,
        "next_at": last + loop.every,
        "test_items": test.count(),
        "test_labelled": test.filter(truth__isnull=False).count(),
        "rounds": [round_out(row, f1=loop.measure == "f1") for row in rounds],
        "random": random_line(loop),
        "reach": max(sample(schema).count() - SPARED, 0),
        "drawing": Draw.objects.filter(loop=loop, status="running").exists(),
    }


def round_out(row: Round, *, f1: bool = False) -> dict[str, Any]:
    """Of spans `right` counts each found one twice and `tested` those that are said and those that there are, so that their quotient is F1;
    its interval takes half of them for as many trials, which is near (Takahashi and others, 2022, derive nearly the same variance)."""
    counted = wilson(row.right / 2, row.tested / 2) if f1 else wilson(row.right, row.tested)
    measured = row.tested > 0
    low, high = (row.low, row.high) if row.value is not None else counted
    value = row.value if row.value is not None else row.right / row.tested if measured else None
    fields = ("number", "labels", "stage", "status", "message", "tested", "suggested", "started_at", "finished_at")
    model = row.model_version
    return {
        **{name: getattr(row, name) for name in fields},
        "accuracy": value,
        "low": low if measured else None,
        "high": high if measured else None,
        "dataset_version": f"{row.version.dataset.slug}@{row.version.number}" if row.version else None,
        "run": row.run_id,
        "run_number": row.run.number if row.run else None,
        "model": model.model.slug if model else None,
        "model_version": model.number if model else None,
    }


def random_line(loop: Loop) -> list[dict[str, Any]]:
    """For each size: the mean accuracy (or mAP) of its draws, with the least and the most."""
    found: dict[int, list[tuple[float, int]]] = defaultdict(list)
    rows = Draw.objects.filter(loop=loop, status="succeeded", tested__gt=0).annotate(
        share=Coalesce(F("value"), F("right") * 1.0 / F("tested"))
    )
    for labels, share, tested in rows.order_by("labels", "turn").values_list("labels", "share", "tested"):
        found[labels].append((share, tested))
    return [
        {
            "labels": labels,
            "accuracy": statistics.mean(s for s, _ in shares),
            "low": min(s for s, _ in shares),
            "high": max(s for s, _ in shares),
            "draws": len(shares),
            "tested": shares[0][1],
        }
        for labels, shares in sorted(found.items())
    ]


def trains_otherwise(graph: Graph, asked: str) -> bool:
    """Whether a pipeline does not learn what a question of the type `asked` says."""
    components = {step["component"] for step in graph["steps"].values()}
    return any((trainer in components) != (kind == asked) for kind, trainer in TRAINERS.items())


def candidates(schema: LabelSchema) -> list[dict[str, str]]:
    """Pipelines that could be a loop's, newest first: they read one data set of this kind and register one model of what is learned."""
    reader, control, project = READERS.get(schema.dataset.modality), question(schema), schema.project
    found = []
    for row in Pipeline.objects.filter(project=project, deleted_at=None).order_by("-updated_at")[:200]:
        graph = draft(row)
        reads, registers = reads_and_registers(graph)
        fits = len(reads) == len(registers) == 1 and graph["steps"][reads[0]]["component"] == reader
        if fits and not trains_otherwise(graph, control.type if control else ""):
            found.append({"slug": row.slug, "name": row.name})
    return found


def template(schema: LabelSchema) -> str | None:
    """Of the gallery, to make a training pipeline of; None where nothing trains on such data. What a schema shows of a table and reads
    like free text is what people judge by: then it is the one for texts."""
    modality, control = schema.dataset.modality, question(schema)
    if control is not None and control.type in (boxes.KIND, spans.KIND):
        return BOXES if control.type == boxes.KIND else SPANS
    if modality == "table":
        shown = {one.value for one in wording(newest_version(schema)).objects}
        rows = list(QueueItem.objects.filter(schema=schema, removed=False).order_by("pk").values_list("data", flat=True)[:LOOKED_AT])
        if any(looks_free([value for row in rows if isinstance(value := row.get(name), str)]) for name in shown):
            return TEMPLATES["text"]
    return TEMPLATES.get(modality)


def loop_now(schema: LabelSchema) -> dict[str, Any]:
    return {"loop": loop_out(schema), "candidates": candidates(schema), "template": template(schema)}
