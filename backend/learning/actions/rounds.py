"""A loop goes on: what can be done now is done, and the rest when somebody looks again. Safe to call at any time, and after any crash.

One round is under way at a time, and one draw; a draw's run has low priority. Each stage is kept before the next begins:
freeze → train (a run, which other workers make) → measure → suggest.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import HeadraceError
from backend.core.models import Membership
from backend.core.permissions import may
from backend.datasets.actions.announce import announce
from backend.datasets.locks import only_one
from backend.deployments import spans, suggesting
from backend.deployments.asking import asking
from backend.deployments.models import Prelabelling
from backend.labeling.actions.announce import schema_changed
from backend.labeling.models import QueueItem
from backend.learning.actions import versions
from backend.learning.actions.boxes import precise
from backend.learning.errors import RoundFailed
from backend.learning.models import Draw, Loop, Round, Training
from backend.learning.queries import SPARED, TEST_READY, held_out, learnable, reads_and_registers, sample
from backend.registry.models import Model, ModelVersion
from backend.runs.actions import Wish, start_run
from backend.runs.models import Run, StepOutput
from workers.sdk.labels.config import LabelControl

log = logging.getLogger(__name__)
ADVANCE = "learning.advance"
GOING = ("queued", "running", "waiting")
ATTEMPTS = 3
PATIENCE = timedelta(seconds=30)


def wake(loop: UUID) -> None:
    """Once the transaction commits."""
    announce(ADVANCE, loop)


def going() -> list[UUID]:
    return list(Loop.objects.filter(active=True, schema__deleted_at=None).values_list("pk", flat=True)[:500])


def advance(loop_id: UUID) -> None:
    """In the worker; one at a time for a loop."""
    with only_one(f"learning:{loop_id}") as mine:
        found = ("schema__project", "schema__dataset", "schema__created_by", "pipeline__pipeline", "dataset", "started_by")
        loop = Loop.objects.select_related(*found).filter(pk=loop_id, active=True).first()
        if not mine or loop is None:
            return
        row = loop.rounds.filter(status="running").select_related("run", "version", "model_version__model").first() or _due(loop)
        if row is not None:
            _guarded(loop, row)
        draw = loop.drawn.filter(status="running").select_related("run", "version").first() or (None if row else _next_draw(loop))
        if draw is not None:
            _guarded(loop, draw)


def _due(loop: Loop) -> Round | None:
    """The next round, if there are labels enough."""
    schema = loop.schema
    labels = learnable(schema).count()
    last = loop.rounds.order_by("-number").first()
    if labels < (last.labels if last else 0) + loop.every:
        return None
    test = held_out(schema)
    have, of = test.filter(truth__isnull=False).count(), test.count()
    if have < TEST_READY * of:
        _say(loop, f"{of - have:,} of the {of:,} held-out items have no label yet; they come first in the queue.")
        return None
    _say(loop, "")
    with transaction.atomic():
        if not Loop.objects.select_for_update(of=("self",)).filter(pk=loop.pk, active=True).exists():
            return None
        made: Round = Round.objects.create(loop=loop, number=(last.number if last else 0) + 1, labels=labels)
        schema_changed(schema)
    return made


def _say(loop: Loop, message: str) -> None:
    if loop.message != message:
        Loop.objects.filter(pk=loop.pk).update(message=message)
        schema_changed(loop.schema)


def _guarded(loop: Loop, row: Training) -> None:
    """As far as it goes; what is wrong ends it, in words."""
    try:
        while row.status == "running" and _step(loop, row):
            schema_changed(loop.schema)
    except HeadraceError as error:
        _end(loop, row, "failed", f"{error} {error.hint}".strip())
    except OperationalError:
        raise  # the database is away: it waits
    except Exception:
        log.exception("%s of the loop of %s", row.stage, loop.schema.slug)
        _end(loop, row, "failed", "An error of the studio itself stopped it; its log says which.")


def _step(loop: Loop, row: Training) -> bool:
    """Do the next thing; False where it must be waited for."""
    if row.stage == "train":
        run = Run.objects.filter(pk=row.run_id).first()
        if run is not None and run.status in GOING:
            return False
        if run is None or run.status != "succeeded":
            raise RoundFailed(why=_why(run))
        return _to(row, "measure")
    if not _first(row):
        raise RoundFailed(why=f"It ended the worker {ATTEMPTS} times; the studio's log says why.")
    if row.stage == "freeze":
        return _freeze(loop, row)
    return _measure(loop, row) if row.stage == "measure" else _suggest(loop, row)


def _first(row: Training) -> bool:
    """Count how often a stage was begun: what kills its worker shall not do so for ever."""
    type(row).objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
    row.attempts += 1
    return row.attempts <= ATTEMPTS


def _to(row: Training, stage: str, **fields: Any) -> bool:
    """Keep what was done, and go on with another stage; False where the row is no longer under way (stopped meanwhile)."""
    row.stage, row.attempts = stage, 0
    for name, value in fields.items():
        setattr(row, name, value)
    return bool(type(row).objects.filter(pk=row.pk, status="running").update(stage=stage, attempts=0, **fields))


def _end(loop: Loop, row: Training, status: str, message: str = "", **fields: Any) -> None:
    row.status = status
    with transaction.atomic():
        told = {"status": status, "message": message[:500], "finished_at": timezone.now(), **fields}
        if type(row).objects.filter(pk=row.pk, status="running").update(**told) and isinstance(row, Round):
            details = {"round": row.number, "labels": row.labels, "status": status, "message": message[:200]}
            audit.record("learning", "label_schema.round", ("label_schema", loop.schema_id, loop.schema.slug),
                         project=loop.schema.project, details=details)  # fmt: skip
        schema_changed(loop.schema)


def _freeze(loop: Loop, row: Training) -> bool:
    if isinstance(row, Draw):
        said, note = versions.labels_of(loop, versions.some(row.items)), f"{row.labels:,} labels drawn at random, draw {row.turn}"
    else:
        assert isinstance(row, Round)
        said, note = versions.labels_of(loop, learnable(loop.schema)), f"Round {row.number}"
    if why := versions.nothing(loop, said):
        raise RoundFailed(why=why)
    version = row.version or versions.freeze(loop, said, note)
    graph = loop.pipeline.graph
    (read,), (register,) = reads_and_registers(graph)
    member = Membership.objects.filter(project=loop.schema.project, user=loop.started_by).first()
    if loop.started_by is None or member is None or not may(member.role, "run.start"):
        raise RoundFailed(why="Whoever started the loop may not start runs here any more.", hint="Somebody who may can start it again.")
    source = graph["steps"][register]["inputs"]["model"][0]["step"]
    wish = Wish(
        parameters={read: {"dataset": f"{version.dataset.slug}@{version.number}"}},
        name=f"{loop.schema.name[:60]}: {note}",
        until=[source] if isinstance(row, Draw) else (),
        priority="low" if isinstance(row, Draw) else None,
    )
    with transaction.atomic():
        run = start_run(loop.schema.project, loop.started_by, loop.pipeline.pipeline, loop.pipeline, wish)
        if not _to(row, "train", version=version, run=run):
            transaction.set_rollback(True)
            return False
    return True


def _why(run: Run | None) -> str:
    if run is None:
        return "Its run is gone."
    failed = run.step_runs.filter(status="failed").order_by("finished_at").first()
    told = (failed.error or {}).get("message", "") if failed else ""
    return (
        f"Run #{run.number} {'was cancelled' if run.status == 'cancelled' else 'failed'}{f' at {failed.step}: {told}' if failed else '.'}"
    )


def _measure(loop: Loop, row: Training) -> bool:
    """On the test items; of a draw, on what is left of the random sample."""
    assert row.run is not None
    if isinstance(row, Draw):
        model, items = _drawn_model(loop, row.run), sample(loop.schema).exclude(pk__in=row.items)
    else:
        rows = ModelVersion.objects.select_related("model", "artifact").filter(step_run__run=row.run)
        found = rows.order_by("-created_at").first()
        if found is None:
            raise RoundFailed(why=f"Run #{row.run.number} registered no model.")
        model, items = found, held_out(loop.schema).filter(truth__isnull=False)
    control = suggesting.question(model.manifest, loop.schema, model.model.name)
    found = precise(loop, model, control, _labelled(loop, items)) if loop.measure == "map_50" else _right(loop, model, control, items)
    if isinstance(row, Draw):
        _end(loop, row, "succeeded", **found)
        return False
    return _to(row, "suggest", model_version=model, **found)


def _right(loop: Loop, model: ModelVersion, control: LabelControl, items: Any) -> dict[str, Any]:
    truth = {item.pk: label for item, label in _labelled(loop, items)}
    right = tested = 0
    with asking(model, loop.started_by or loop.schema.created_by) as ask:
        for batch in suggesting.instances(loop.schema, QueueItem.objects.filter(pk__in=truth), model.manifest):
            answers, _ = ask([instance for _, instance in batch])
            if loop.measure == "f1":
                for (item, asked), answer in zip(batch, answers, strict=True):
                    one, all_ = spans.found(control, answer, asked, versions.regions(control.name, truth[item.pk]))
                    right, tested = right + 2 * one, tested + all_
                continue
            # What a model cannot answer (a damaged picture) is answered wrongly.
            right += sum((answer or {}).get("label") == truth[item.pk] for (item, _), answer in zip(batch, answers, strict=True))
    return {"right": right, "tested": tested if loop.measure == "f1" else len(truth)}


def _labelled(loop: Loop, items: Any) -> list[tuple[QueueItem, Any]]:
    said = versions.labels_of(loop, items)
    return [(item, said[item.key, item.digest]) for item in items if (item.key, item.digest) in said]


def _drawn_model(loop: Loop, run: Run) -> ModelVersion:
    """What a draw trained: as a version of a model that is not kept, because nobody shall deploy it."""
    graph = loop.pipeline.graph
    (_,), (register,) = reads_and_registers(graph)
    source = graph["steps"][register]["inputs"]["model"][0]
    found = (
        StepOutput.objects.select_related("artifact")
        .filter(step_run__run=run, step_run__step=source["step"], port=source["output"])
        .first()
    )
    if found is None:
        raise RoundFailed(why=f"Run #{run.number} trained no model.")
    manifest = versions.manifest_of(found.artifact.digest)
    return ModelVersion(model=Model(slug="draw", name="A draw's model"), number=1, artifact=found.artifact, manifest=manifest)


def _suggest(loop: Loop, row: Training) -> bool:
    """Its model says what it thinks of all that is open; the queue then begins with what it is least sure of."""
    assert isinstance(row, Round) and row.model_version is not None
    model = ModelVersion.objects.select_related("model", "artifact").get(pk=row.model_version_id)
    asked = Prelabelling.objects.filter(schema=loop.schema, model_version=model, created_at__gte=row.started_at)
    if not asked.exists():
        control, _ = suggesting.suitable(model, loop.schema)
        with transaction.atomic():
            suggesting.begin(loop.schema, model, control, loop.started_by)
    suggesting.prelabel(loop.schema_id)
    job = Prelabelling.objects.filter(schema=loop.schema).first()
    if job is not None and job.status in ("queued", "running"):
        return _to(row, "suggest") and False  # another process is at it
    if job is None or job.model_version_id != model.pk or job.status == "cancelled":
        _end(loop, row, "succeeded", "Its suggestions were stopped, or another model's were asked for.")
    elif job.status != "done":
        raise RoundFailed(why=f"Its suggestions failed: {job.message}" if job.message else "Its suggestions did not come to an end.")
    else:
        _end(loop, row, "succeeded", suggested=job.done)
    return False


def _next_draw(loop: Loop) -> Draw | None:
    """For the smallest round that has too few: as many random items of the sample as it learned from, and enough left to test on."""
    if not loop.draws:
        return None
    pool = list(sample(loop.schema).values_list("pk", flat=True))
    for labels in loop.rounds.filter(status="succeeded").order_by("labels").values_list("labels", flat=True):
        if labels > len(pool) - SPARED:
            return None
        had = set(loop.drawn.filter(labels=labels).values_list("turn", flat=True))
        turn = next((n for n in range(1, loop.draws + 1) if n not in had), None)
        if turn is not None:
            made: Draw = Draw.objects.create(loop=loop, labels=labels, turn=turn, items=random.sample(pool, labels))
            return made
    return None
