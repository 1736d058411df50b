"""Tasks that a script imports: in the queue when the answer is given, in a frozen version of the data set soon after (`freezing`)."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import InvalidInput
from backend.core.ids import new_id
from backend.core.models import Membership, Project, User
from backend.core.permissions import may
from backend.labeling.actions import order, truth
from backend.labeling.actions.announce import schema_changed
from backend.labeling.models import LabelSchema, LabelSchemaVersion, QueueItem
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_wording
from backend.labeling.rows import keyed_digest
from backend.labelstudio.actions.announce import FREEZE, PREDICT, announce
from backend.labelstudio.actions.files import Kept, fetch_files
from backend.labelstudio.actions.incoming import Task, columns_of, read_tasks
from backend.labelstudio.actions.telling import tell
from backend.labelstudio.errors import NotItsData
from backend.labelstudio.models import Backend, Counterpart, TaskNote, TaskTouch
from backend.labelstudio.queries.subjects import PERSON, counterpart_of, numbers

QUIET = 5.0
"""Seconds without an import after which a version is made of what came: a script that sends tasks one by one makes one version."""
Json = dict[str, Any]


def import_tasks(request: Any, schema: LabelSchema, user: User, role: str, given: Any, *, files: list[Kept] | None = None) -> Json:
    """All of them or none. Returns counts, and the ids in the order of the tasks. With `files`, one of each task, they come from another
    server, and into a data set that was uploaded too."""
    counterpart = counterpart_of(schema)
    if not counterpart.owned and files is None:
        raise NotItsData(dataset=schema.dataset.slug)
    version = newest_wording(schema)
    config = wording(version)
    tasks = read_tasks(config, given)
    authors = _authors(schema, user, role, tasks)
    if schema.dataset.modality != "table" and files is None:
        files = fetch_files(config, tasks, schema)
    with transaction.atomic():
        Counterpart.objects.select_for_update().get(pk=counterpart.pk)  # imports into one project come one after the other
        ids = _keep(schema, version, tasks, authors, files)
        Counterpart.objects.filter(pk=counterpart.pk).update(touched_at=timezone.now())
        counts = {
            "task_count": len(tasks),
            "annotation_count": sum(len(t.said) for t in tasks),
            "predictions_count": sum(len(t.predicted) for t in tasks),
        }
        audit.record(request, "task.import", ("label_schema", schema.pk, schema.slug), project=schema.project, details=counts)
        announce(FREEZE, counterpart.pk, seconds=QUIET)
        for n in Backend.objects.filter(schema=schema).values_list("pk", flat=True):
            announce(PREDICT, n)
        tell(schema, "TASKS_CREATED", tasks=ids)
        schema_changed(schema)
    return {**counts, "task_ids": ids, "data_columns": columns_of(t.data for t in tasks[:1000])}


def _authors(schema: LabelSchema, user: User, role: str, tasks: Sequence[Task]) -> dict[int, list[User]]:
    """{place of a task: who said each of its annotations}. The caller; or, where the file names a member of the project and the caller
    manages labels, that member."""
    if not any(t.said for t in tasks):
        return {}
    members = members_by_name(schema.project) if may(role, "label.manage") else {}
    found: dict[int, list[User]] = {}
    for n, task in enumerate(tasks):
        by = [members.get(name_of(said.by), user) for said in task.said]
        if len({p.pk for p in by}) != len(by):
            raise InvalidInput(
                message="One person annotates a task once.", field=f"tasks.{n}.annotations",
                hint="Name members of the project in completed_by (their e-mail address), or import one annotation of each task.",
            )  # fmt: skip
        if sum(not said.skipped for said in task.said) > schema.overlap:
            raise InvalidInput(
                message=f"This project wants {schema.overlap} annotations of a task.", field=f"tasks.{n}.annotations",
                hint="Set maximum_annotations to a higher number first.",
            )  # fmt: skip
        found[n] = by
    return found


def members_by_name(project: Project) -> dict[Any, User]:
    """{e-mail address, and number: person} of those who may label."""
    people = [m.user for m in Membership.objects.select_related("user").filter(project=project) if may(m.role, "label.annotate")]
    known = numbers(PERSON, [p.pk for p in people])
    return {p.email.lower(): p for p in people} | {known[p.pk]: p for p in people}


def name_of(by: Any) -> Any:
    """An e-mail address or a number, of what `completed_by` says."""
    if isinstance(by, dict):
        by = by.get("email")
    return by.lower() if isinstance(by, str) else by if isinstance(by, int) else None


def _keep(
    schema: LabelSchema, version: LabelSchemaVersion, tasks: Sequence[Task], authors: dict[int, list[User]], files: list[Kept] | None
) -> list[int]:
    begin = QueueItem.objects.filter(schema=schema).aggregate(n=Max("position"))["n"] or 0
    shown = wording(version).variables
    rng = random.Random()  # noqa: S311 - the order of a queue is no secret
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('labeling_queueitem', 'id')) FROM generate_series(1, %s)", [len(tasks)])
        ids = sorted(row[0] for row in cursor.fetchall())
        with cursor.copy(
            "COPY labeling_queueitem (id, schema_id, key, digest, media_type, width, height, data, position, rank, wanted, free, done,"
            " removed, pending) FROM STDIN"
        ) as copy:
            for n, (id_, task) in enumerate(zip(ids, tasks, strict=True)):
                done = sum(not said.skipped for said in task.said)
                place = begin + n + 1
                if files is None:
                    key, digest, media, width, height = str(id_), keyed_digest(str(id_)), "application/json", None, None
                    data = task.data
                else:
                    file = files[n]
                    key, digest, media, width, height = file.key(id_), file.digest, file.media_type, file.width, file.height
                    told = file.data if media.startswith(("audio/", "video/")) else {}
                    data = {k: v for k, v in task.data.items() if k not in shown} | told
                copy.write_row((
                    id_, schema.pk, key, digest, media, width, height, json.dumps(data), place,
                    order.place(schema.order, place, rng.random()), schema.overlap, schema.overlap - done, done, False, True,
                ))  # fmt: skip
        with cursor.copy("COPY labeling_suggestion (item_id, model_version, score, result, created_at) FROM STDIN") as copy:
            now = timezone.now()
            for id_, task in zip(ids, tasks, strict=True):
                for p in task.predicted:
                    copy.write_row((id_, p.model_version, p.score, json.dumps(p.result), now))
    order.suggested(schema, [id_ for id_, task in zip(ids, tasks, strict=True) if task.predicted])
    TaskTouch.objects.bulk_create([TaskTouch(item_id=id_, at=now) for id_ in ids], batch_size=1000)
    TaskNote.objects.bulk_create([TaskNote(item_id=id_, meta=t.meta) for id_, t in zip(ids, tasks, strict=True) if t.meta], batch_size=1000)
    _keep_said(schema, version, tasks, authors, ids, rng)
    return ids


def _keep_said(
    schema: LabelSchema,
    version: LabelSchemaVersion,
    tasks: Sequence[Task],
    authors: dict[int, list[User]],
    ids: list[int],
    rng: random.Random,
) -> None:
    """The items are new and nobody else sees them yet, so their places are taken without asking."""
    if not authors:
        return
    now = timezone.now()
    at_once: list[UUID] = []
    later: list[int] = []
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY labeling_annotation (id, item_id, schema_id, schema_version_id, author_id, result, seconds, status, to_review, version,"
            " created_at, updated_at) FROM STDIN"
        ) as copy:
            for n, by in authors.items():
                for said, person in zip(tasks[n].said, by, strict=True):
                    if said.skipped:
                        continue
                    review = rng.random() < schema.review_share
                    pk: UUID = new_id()
                    result = json.dumps(said.result)
                    copy.write_row((pk, ids[n], schema.pk, version.pk, person.pk, result, said.seconds, "submitted", review, 1, now, now))
                    if schema.overlap == 1 and not review:
                        at_once.append(pk)
                    elif ids[n] not in later[-1:]:
                        later.append(ids[n])
        with cursor.copy("COPY labeling_skip (item_id, user_id, reason, created_at) FROM STDIN") as copy:
            for n, by in authors.items():
                for said, person in zip(tasks[n].said, by, strict=True):
                    if said.skipped:
                        copy.write_row((ids[n], person.pk, "", now))
        cursor.execute(
            "UPDATE labeling_queueitem q SET truth_id = a.id FROM labeling_annotation a WHERE a.id = ANY (%s) AND a.item_id = q.id",
            [at_once],
        )
    for id_ in later:
        truth.settle(id_)
