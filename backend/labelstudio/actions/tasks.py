"""Single tasks and what is said of them, under the rules of the browser: places, one annotation a person, nothing that does not fit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import InvalidInput, NotAllowed
from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.core.permissions import may
from backend.labeling.actions import order, queue, truth
from backend.labeling.actions.announce import schema_changed
from backend.labeling.actions.withdraw import withdraw
from backend.labeling.errors import NotTheirs
from backend.labeling.models import Annotation, LabelSchema, QueueItem, Skip, Suggestion
from backend.labeling.queries.items import find_annotation, wording
from backend.labeling.queries.schemas import newest_version
from backend.labelstudio.actions.announce import FREEZE, announce
from backend.labelstudio.actions.freezing import OF_A_FILE
from backend.labelstudio.actions.importing import QUIET, members_by_name, name_of
from backend.labelstudio.actions.incoming import Predicted, read_prediction, read_tasks, with_ids
from backend.labelstudio.actions.telling import tell, touch
from backend.labelstudio.errors import NotItsData, NotServed
from backend.labelstudio.models import Counterpart, TaskNote
from backend.labelstudio.queries.shapes import data_of
from backend.labelstudio.queries.subjects import counterpart_of

Json = dict[str, Any]


def change_task(request: Any, item: QueueItem, fields: Json) -> QueueItem:
    """Its data and meta; its annotations stay. Of a task that shows a file, what is said beside it."""
    schema = item.schema
    if "data" in fields:
        data = _data(item, fields["data"])
        with transaction.atomic():
            row = QueueItem.objects.select_for_update().get(pk=item.pk)
            audit.record(request, "task.change", ("queue_item", item.pk, item.key), row.data, data, project=schema.project)
            QueueItem.objects.filter(pk=item.pk).update(data=data)
            touch([item.pk])
            if item.media_type == "application/json":
                _touched(schema)
        item.data = data
    if isinstance(fields.get("meta"), dict):
        TaskNote.objects.update_or_create(item=item, defaults={"meta": fields["meta"]})
    return item


def _data(item: QueueItem, given: Any) -> Json:
    schema, config = item.schema, wording(newest_version(item.schema))
    if item.media_type == "application/json" and counterpart_of(schema).owned:
        (task,) = read_tasks(config, [{"data": given}])
        return task.data
    if item.media_type == "application/json" or item.media_type.startswith("text/"):
        raise NotItsData(dataset=schema.dataset.slug)
    if not isinstance(given, dict):
        raise InvalidInput(message="A task's data is an object.", field="data", hint='{"data": {…}}')
    for name, address in data_of(item, config).items():
        if name in config.variables and given.get(name, address) != address:
            raise NotServed(message=f"The file that “{name}” names is not replaced here; import another task.", field=f"data.{name}")
    known = {name: item.data[name] for name in OF_A_FILE if name in item.data}
    return {name: value for name, value in given.items() if name not in config.variables} | known


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
        queue.leave(request, item, user, skip=True, reason=_reason(fields))
        return None
    said = queue.submit(
        request, item, user, id_=_unique(fields.get("unique_id")), schema_version=newest_version(item.schema).number,
        result=with_ids(fields.get("result")), seconds=_seconds(fields.get("lead_time")), version=None,
    )  # fmt: skip
    return find_annotation(item.schema, UUID(str(said["id"])))


def skip_of(item: QueueItem, user: User) -> Skip:
    return Skip.objects.select_related("item__schema__project", "user").get(item=item, user=user)  # type: ignore[no-any-return]  # django-stubs are not used here


def skip_instead(request: Any, annotation: Annotation, user: User, role: str, fields: Json) -> Skip:
    """Its author skips the task after all: what they said of it is taken back."""
    if annotation.author is None or (annotation.author_id != user.pk and not may(role, "label.manage")):
        raise NotTheirs()
    item, author = annotation.item, annotation.author
    with transaction.atomic():
        withdraw(request, annotation, user, role)
        queue.leave(request, item, author, skip=True, reason=_reason(fields))
    return skip_of(item, author)


def change_skip(request: Any, skip: Skip, user: User, role: str, fields: Json) -> Annotation | Skip:
    """Another reason; or, with `was_cancelled` false and a result, an annotation instead."""
    if skip.user_id != user.pk and not may(role, "label.manage"):
        raise NotTheirs()
    if fields.get("was_cancelled") is False and fields.get("result"):
        made = annotate(request, skip.item, skip.user, {**fields, "was_cancelled": False})
        assert made is not None
        return made
    if "skip_reason" in fields:
        Skip.objects.filter(pk=skip.pk).update(reason=_reason(fields))
        touch([skip.item_id])
    return skip_of(skip.item, skip.user)


def take_back_skip(request: Any, skip: Skip, user: User, role: str) -> None:
    if skip.user_id != user.pk and not may(role, "label.manage"):
        raise NotTheirs()
    with transaction.atomic():
        queue.unskip(request, skip.item, skip.user)
        touch([skip.item_id])


def _reason(fields: Json) -> str:
    reason = fields.get("skip_reason")
    return reason[:500] if isinstance(reason, str) else ""


def mark_truth(request: Any, annotation: Annotation, user: User, role: str, wanted: Any) -> None:
    """Make an annotation its task's ground truth, or take that decision back; nothing where it is so already. Raises NotAllowed, OwnWork,
    or InvalidInput where the schema's own rules make it ground truth."""
    holds = QueueItem.objects.filter(pk=annotation.item_id, truth=annotation.pk).exists()
    if bool(wanted) == holds:
        return
    if not may(role, "label.review"):
        raise NotAllowed(role=role, action="label.review")
    if wanted:
        truth.adjudicate(request, annotation.item, user, annotation.pk, "")
    elif not truth.release(request, annotation.item, annotation.pk):
        raise InvalidInput(
            message="It is ground truth by the rules of its label schema, not by anybody's word.", field="ground_truth",
            hint="Choose another annotation as ground truth.",
        )  # fmt: skip
    touch([annotation.item_id])


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


def drop_suggestion(row: Suggestion) -> None:
    with transaction.atomic():
        item = row.item_id
        row.delete()
        touch([item])


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
