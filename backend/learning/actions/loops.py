"""A loop begun, changed and stopped."""

from __future__ import annotations

import random
from typing import Any

from django.db import transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import InvalidInput
from backend.core.models import User
from backend.core.permissions import may
from backend.deployments import suggesting
from backend.labeling.actions import order
from backend.labeling.actions.announce import schema_changed
from backend.labeling.actions.schemas import HOLDS, set_schema
from backend.labeling.models import HeldBack, LabelSchema, QueueItem
from backend.learning.actions import rounds
from backend.learning.errors import NothingToLearn, PipelineDoesNotLearn
from backend.learning.models import Loop
from backend.learning.queries import MEASURES, READERS, question, reads_and_registers, trains_otherwise
from backend.pipelines import queries as pipelines
from backend.pipelines.actions import create_pipeline, publish
from backend.pipelines.models import Pipeline, PipelineVersion
from backend.runs.actions import cancel_run
from workers.sdk.labels import boxes, spans
from workers.sdk.labels.config import LabelControl

SETTINGS = ("every", "test_size", "draws", "active")
LEARNED = {"choices": "classes", boxes.KIND: "boxes", spans.KIND: "spans"}
"""In words, by the type of the question."""


def start(request: Any, schema: LabelSchema, user: User, role: str, fields: dict[str, Any]) -> Loop:
    """Begin, go on, or change it; test items that were drawn stay. The queue begins with what the model is least sure of from then on."""
    if not may(role, "run.start"):
        raise InvalidInput(message="You may not start runs in this project.", field="pipeline")
    control = _question(schema)
    project = schema.project
    with transaction.atomic():
        pipeline = _pipeline(schema, control, user, fields)
        loop = Loop.objects.select_for_update(of=("self",)).filter(schema=schema).first()
        before = audit.snapshot(loop, *SETTINGS) if loop else None
        loop = loop or Loop(schema=schema)
        loop.measure = MEASURES[control.type]
        loop.pipeline, loop.control, loop.started_by, loop.active = pipeline, control.name, user, True
        loop.every, loop.test_size, loop.draws = fields["every"], fields["test_size"], fields["draws"]
        loop.started_at, loop.stopped_at, loop.message = timezone.now(), None, ""
        loop.save()
        drawn = _draw(loop)
        if schema.order != "uncertain":
            set_schema(request, project, schema.slug, {"order": "uncertain"})
            schema.order = "uncertain"
        order.arrange(schema)
        details = {"pipeline": pipeline.pipeline.slug, "version": pipeline.number, "drawn": drawn}
        audit.record(
            request, "label_schema.learn", _target(schema), before, audit.snapshot(loop, *SETTINGS), project=project, details=details
        )
        schema_changed(schema)
        rounds.wake(loop.pk)
    return loop


def stop(request: Any, schema: LabelSchema, user: User) -> None:
    """Runs under way are cancelled; models, suggestions and the curve stay. Nothing happens where nothing runs."""
    with transaction.atomic():
        loop = Loop.objects.select_for_update(of=("self",)).filter(schema=schema, active=True).first()
        if loop is None:
            return
        loop.active, loop.stopped_at, loop.message = False, timezone.now(), ""
        loop.save(update_fields=["active", "stopped_at", "message"])
        for kind in (loop.rounds, loop.drawn):
            for row in kind.filter(status="running").select_related("run__project"):
                if row.run is not None and row.run.status in rounds.GOING:
                    cancel_run(row.run, user)
                if row.stage == "suggest":
                    suggesting.cancel(request, schema)
                kind.filter(pk=row.pk).update(status="cancelled", message="The loop was stopped.", finished_at=timezone.now())
        audit.record(request, "label_schema.stop_learning", _target(schema), project=schema.project)
        schema_changed(schema)


def _question(schema: LabelSchema) -> LabelControl:
    """What is learned."""
    if schema.dataset.modality not in READERS:
        held = HOLDS[schema.dataset.modality]
        raise NothingToLearn(why=f"There is no training pipeline for {held} yet.", hint="Label pictures, texts or rows of a table.")
    if (control := question(schema)) is not None:
        return control
    if schema.dataset.modality == "images":
        raise NothingToLearn(
            why="The question has no single choice and no boxes to learn.", hint="Add <Choices> or <RectangleLabels> to it."
        )
    raise NothingToLearn(
        why="The question has no single choice to learn, and no spans of a text.", hint="Add <Choices>, or <Labels> on <Text>, to it."
    )


def _pipeline(schema: LabelSchema, control: LabelControl, user: User, fields: dict[str, Any]) -> PipelineVersion:
    """Published as it is now: what somebody draws later changes nothing in a loop that runs."""
    if fields["template"]:
        found: Pipeline = create_pipeline(schema.project, user, f"{schema.name[:100]} · training", template=fields["template"])
    else:
        found = pipelines.find(schema.project, fields["pipeline"])
    version = publish(found, user)
    reads, registers = reads_and_registers(version.graph)
    reader = READERS[schema.dataset.modality]
    for right, why in (
        (len(reads) == 1, "it must read exactly one data set"),
        (len(registers) == 1, "it must register exactly one model"),
        (
            bool(reads) and version.graph["steps"][reads[0]]["component"] == reader,
            f"it must read {'texts' if reader != 'read_images' and schema.dataset.modality == 'text' else schema.dataset.modality}",
        ),
        (
            not trains_otherwise(version.graph, control.type),
            f"it does not learn {LEARNED[control.type]}, for which “{control.name}” asks",
        ),
    ):
        if not right:
            raise PipelineDoesNotLearn(pipeline=found.name, why=why, field="pipeline")
    return version


def _draw(loop: Loop) -> int:
    """Test items and seed items at random from the whole queue, until there are as many as are wanted; how many more there are."""
    schema = loop.schema
    held = {part: HeldBack.objects.filter(schema=schema, part=part).count() for part in ("test", "seed")}
    wanted = [("test", max(loop.test_size - held["test"], 0)), ("seed", max(loop.every - held["seed"], 0))]
    free = QueueItem.objects.filter(schema=schema, removed=False, held_back=None, honeypot=None).exclude(truth__how="model")
    ids = list(free.values_list("pk", flat=True))
    if held["test"] == 0 and len(ids) < sum(n for _, n in wanted):
        raise NothingToLearn(
            why=f"The queue has {len(ids):,} items that can be drawn; {sum(n for _, n in wanted):,} are needed.",
            hint="Hold out fewer items, or begin rounds sooner.",
        )  # fmt: skip
    drawn = random.sample(ids, min(len(ids), sum(n for _, n in wanted)))
    parts = [part for part, n in wanted for _ in range(n)][: len(drawn)]
    # Below every score and every place: they are labelled first, test and seed items mixed.
    rows = [
        HeldBack(item_id=item, schema=schema, part=part, rank=-1 - random.random())  # noqa: S311 - which items are drawn is no secret
        for item, part in zip(drawn, parts, strict=True)
    ]
    HeldBack.objects.bulk_create(rows, batch_size=1000)
    return len(rows)


def _target(schema: LabelSchema) -> tuple[str, Any, str]:
    return "label_schema", schema.pk, schema.slug
