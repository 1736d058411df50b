"""What happened, for those who asked to be told: a delivery for each webhook and ML backend, in the transaction of what happened.

Messages are Label Studio's: `{action, project, task, annotation}`, `{action, project, tasks}`, `{action, project, annotations}`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from backend.labeling.models import Annotation, LabelSchema
from backend.labeling.queries.items import wording
from backend.labelstudio.actions.announce import DELIVER, announce
from backend.labelstudio.models import Backend, Delivery, Webhook
from backend.labelstudio.queries.shapes import data_of, projects_out, zip_shapes
from backend.labelstudio.queries.subjects import ANNOTATION, counterpart_of, number

ACTIONS = {
    "PROJECT_CREATED": "A project is made", "PROJECT_UPDATED": "A project is changed", "PROJECT_DELETED": "A project is deleted",
    "TASKS_CREATED": "Tasks are imported", "TASKS_DELETED": "Tasks are deleted", "ANNOTATION_CREATED": "An annotation is submitted",
    "ANNOTATIONS_CREATED": "Annotations are submitted", "ANNOTATION_UPDATED": "An annotation is changed",
    "ANNOTATIONS_DELETED": "Annotations are taken back",
}  # fmt: skip
CHANGES = {"submitted": "ANNOTATION_CREATED", "changed": "ANNOTATION_UPDATED", "withdrawn": "ANNOTATIONS_DELETED"}
Json = dict[str, Any]


def annotation_said(sender: Any, *, annotation: UUID, item: int, change: str, **_: Any) -> None:
    """Listens to `labeling`. Where nobody asked to be told it costs one query."""
    if change == "withdrawn":
        touch([item])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM labelstudio_backend b JOIN labeling_queueitem q ON q.schema_id = b.schema_id"
            "  WHERE q.id = %(item)s)"
            " OR EXISTS (SELECT 1 FROM labelstudio_webhook w JOIN labeling_labelschema s ON s.project_id = w.project_id"
            "  JOIN labeling_queueitem q ON q.schema_id = s.id WHERE q.id = %(item)s AND w.is_active)",
            {"item": item},
        )
        (asked,) = cursor.fetchone()
    if not asked:
        return
    row = Annotation.objects.select_related("item__schema__project", "item__schema__created_by", "author", "schema_version").get(
        pk=annotation
    )
    schema = row.item.schema
    n = counterpart_of(schema).pk
    if change == "withdrawn":
        tell(schema, CHANGES[change], annotations=[{"id": number(ANNOTATION, annotation)}])
        return
    task = {
        "id": row.item_id,
        "data": data_of(row.item, wording(row.schema_version)),
        "project": n,
        "is_labeled": row.item.done >= row.item.wanted,
    }
    tell(schema, CHANGES[change], task=task, annotation=dict(zip_shapes([row], n))[row.pk])


def touch(items: Iterable[int]) -> None:
    """Tasks that changed without a row that says so: whoever asks for what changed since finds them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO labelstudio_tasktouch (item_id, at) SELECT unnest(%s::bigint[]), clock_timestamp()"
            " ON CONFLICT (item_id) DO UPDATE SET at = excluded.at",
            [sorted(set(items))],
        )


def tell(schema: LabelSchema, action: str, *, tasks: list[int] | None = None, **more: Any) -> None:
    """One delivery for each who asked. The caller is in a transaction."""
    hooks = [w for w in Webhook.objects.filter(project=schema.project_id, is_active=True) if w.schema_id in (None, schema.pk)]
    hooks = [w for w in hooks if w.send_for_all_actions or action in w.actions]
    backends = list(Backend.objects.filter(schema=schema)) if action.startswith("ANNOTATION") else []
    if not hooks and not backends:
        return
    body: Json = {"action": action, "project": projects_out([schema])[0], **more}
    if tasks is not None:
        body["tasks"] = [{"id": id_} for id_ in tasks]
    made = [Delivery(webhook=w, body=body if w.send_payload else {"action": action}) for w in hooks]
    made += [Delivery(backend=b, body=body) for b in backends]
    Delivery.objects.bulk_create(made)
    for delivery in made:
        announce(DELIVER, delivery.pk)


def train(backend: Backend) -> None:
    """Ask an ML backend to learn from what is labelled."""
    schema = LabelSchema.objects.select_related("project", "created_by").get(pk=backend.schema_id)
    body = {"action": "START_TRAINING", "project": projects_out([schema])[0]}
    announce(DELIVER, Delivery.objects.create(backend=backend, body=body).pk)
