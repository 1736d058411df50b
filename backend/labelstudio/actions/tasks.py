"""Single tasks and what is said of them, under the rules of the browser: places, one annotation a person, nothing that does not fit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import InvalidInput
from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.core.permissions import may
from backend.labeling.actions import order, queue
from backend.labeling.actions.announce import schema_changed
from backend.labeling.errors import NotTheirs
from backend.labeling.models import Annotation, LabelSchema, QueueItem, Suggestion
from backend.labeling.queries.items import find_annotation, wording
from backend.labeling.queries.schemas import newest_version
from backend.labelstudio.actions.announce import FREEZE, announce
from backend.labelstudio.actions.importing import QUIET, members_by_name, name_of
from backend.labelstudio.actions.incoming import Predicted, read_prediction, read_tasks, with_ids
from backend.labelstudio.actions.telling import tell, touch
from backend.labelstudio.errors import NotItsData
from backend.labelstudio.models import Counterpart, TaskNote
from backend.labelstudio.queries.shapes import data_of
from backend.labelstudio.queries.subjects import counterpart_of

Json = dict[str, Any]


def change_task(request: Any, item: QueueItem, fields: Json) -> QueueItem:
    """Its data and meta; its annotations stay."""
    schema = item.schema
    if "data" in fields:
        if item.media_type != "application/json" or not counterpart_of(schema).owned:
            raise NotItsData(dataset=schema.dataset.slug)
        (task,) = read_tasks(wording(newest_version(schema)), [{"data": fields["data"]}])
        with transaction.atomic():
            row = QueueItem.objects.select_for_update().get(pk=item.pk)
            audit.record(request, "task.change", ("queue_item", item.pk, item.key), row.data, task.data, project=schema.project)
            QueueItem.objects.filter(pk=item.pk).update(data=task.data)
            touch([item.pk])
            _touched(schema)
        item.data = task.data
    if isinstance(fields.get("meta"), dict):
        TaskNote.objects.update_or_create(item=item, defaults={"meta": fields["meta"]})
    return item


def remove_tasks(request: Any, schema: LabelSchema, only: Q) -> int:
    """Out of the queue, and out of the data set's next version; annotations stay with the removed items."""
    if not counterpart_of(schema).owned:
        raise NotItsData(dataset=schema.dataset.slug)
    with transaction.atomic():
        ids = list(QueueItem.objects.filter(only, schema=schema, removed=False).values_list("pk", flat=True))
        QueueItem.objects.filter(pk__in=ids).update(removed=True)
        if ids:
            audit.record(
                request, "task.delete", ("label_schema", schema.pk, schema.slug), project=schema.project, details={"tasks": len(ids)}
            )
            _touched(schema)
            tell(schema, "TASKS_DELETED", tasks=ids)
            schema_changed(schema)
    return len(ids)


def bring_back(schema: LabelSchema, ids: list[int]) -> None:
    """Removed tasks into the queue again, with all that was said of them, and into the data set's next version."""
    with transaction.atomic():
        pending = counterpart_of(schema).owned
        QueueItem.objects.filter(pk__in=ids, schema=schema).update(removed=False, pending=pending)
        touch(ids)
        if pending:
            _touched(schema)
        schema_changed(schema)


def _touched(schema: LabelSchema) -> None:
    counterpart = counterpart_of(schema)
    Counterpart.objects.filter(pk=counterpart.pk).update(touched_at=timezone.now())
    announce(FREEZE, counterpart.pk, seconds=QUIET)


def annotate(request: Any, item: QueueItem, user: User, fields: Json) -> Annotation | None:
    """Submitted in the caller's name; None where the annotation says that the task was skipped."""
    if fields.get("was_cancelled"):
        queue.leave(request, item, user, skip=True)
        return None
    said = queue.submit(
        request, item, user, id_=_unique(fields.get("unique_id")), schema_version=newest_version(item.schema).number,
        result=with_ids(fields.get("result")), seconds=_seconds(fields.get("lead_time")), version=None,
    )  # fmt: skip
    return find_annotation(item.schema, UUID(str(said["id"])))


def change_annotation(request: Any, annotation: Annotation, user: User, fields: Json) -> Annotation:
    """Its author's, while no reviewer has accepted it."""
    if annotation.author_id != user.pk:
        raise NotTheirs()
    if "result" in fields:
        spent = _seconds(fields.get("lead_time"))
        queue.submit(
            request, annotation.item, user, id_=annotation.pk, schema_version=newest_version(annotation.item.schema).number,
            result=with_ids(fields["result"]), seconds=max(spent - annotation.seconds, 0.0), version=annotation.version,
        )  # fmt: skip
    return find_annotation(annotation.item.schema, annotation.pk)


def author_of(fields: Json, caller: User, role: str, project: Project) -> User:
    """Whose an annotation is: the caller's, or theirs whom `completed_by` names, where the caller manages labels."""
    by = fields.get("completed_by")
    if by is None or not may(role, "label.manage"):
        return caller
    return members_by_name(project).get(name_of(by), caller)


def _unique(given: Any) -> UUID:
    if given is None:
        return new_id()
    try:
        return UUID(str(given))
    except ValueError:
        raise InvalidInput(message="“unique_id” is no UUID.", field="unique_id") from None


def _seconds(value: Any) -> float:
    return min(max(float(value), 0.0), 86_400.0) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def suggest(item: QueueItem, fields: Json) -> Suggestion:
    read = _predicted(item, fields)
    with transaction.atomic():
        made: Suggestion = Suggestion.objects.create(item=item, model_version=read.model_version, score=read.score, result=read.result)
        order.suggested(item.schema, [item.pk])
        touch([item.pk])
    return made


def change_suggestion(row: Suggestion, fields: Json) -> Suggestion:
    before = {"result": row.result, "score": row.score, "model_version": row.model_version}
    read = _predicted(row.item, before | {name: fields[name] for name in before if name in fields})
    row.result, row.score, row.model_version = read.result, read.score, read.model_version
    with transaction.atomic():
        row.save()
        order.suggested(row.item.schema, [row.item_id])
        touch([row.item_id])
    return row


def _predicted(item: QueueItem, fields: Json) -> Predicted:
    config = wording(newest_version(item.schema))
    return read_prediction(config, data_of(item, config), fields)


def import_suggestions(schema: LabelSchema, given: Any) -> int:
    """`[{task, result, score, model_version}]`, all or none."""
    rows = given if isinstance(given, list) else [given]
    ids = [row.get("task") if isinstance(row, dict) else None for row in rows]
    items = {
        i.pk: i
        for i in QueueItem.objects.select_related("schema").filter(
            schema=schema, removed=False, pk__in=[n for n in ids if isinstance(n, int)]
        )
    }
    config = wording(newest_version(schema))
    found: list[tuple[int, Predicted]] = []
    for n, (id_, row) in enumerate(zip(ids, rows, strict=True)):
        if id_ is None or id_ not in items:
            raise InvalidInput(message=f"There is no task {id_} in this project.", field=f"{n}.task")
        found.append((id_, read_prediction(config, data_of(items[id_], config), row, str(n))))
    with transaction.atomic():
        Suggestion.objects.bulk_create(
            [Suggestion(item_id=id_, model_version=p.model_version, score=p.score, result=p.result) for id_, p in found], batch_size=1000
        )
        order.suggested(schema, [id_ for id_, _ in found])
        touch(id_ for id_, _ in found)
    return len(found)
