"""What a number in an address means, and which label schema it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from backend.core.errors import NotFound
from backend.labeling.models import Annotation, LabelSchema, QueueItem, Skip, Suggestion
from backend.labelstudio.models import Backend, Counterpart, FileUpload, Number, Snapshot, View, Webhook

ANNOTATION, PERSON, SKIP = "annotation", "person", "skip"
Found = tuple[LabelSchema, Any]


def numbers(kind: str, targets: Iterable[UUID]) -> dict[UUID, int]:
    """The number of each; those that have none are given one."""
    wanted = list(dict.fromkeys(targets))
    if not wanted:
        return {}
    found = dict(Number.objects.filter(kind=kind, target__in=wanted).values_list("target", "id"))
    missing = [target for target in wanted if target not in found]
    if missing:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO labelstudio_number (kind, target) SELECT %s, unnest(%s::uuid[]) ON CONFLICT (kind, target) DO NOTHING",
                [kind, missing],
            )
        found |= dict(Number.objects.filter(kind=kind, target__in=missing).values_list("target", "id"))
    return found


def key_of(skip: int) -> UUID:
    """What stands for a skip among the targets of numbers, which are UUIDs."""
    return UUID(int=skip)


def number(kind: str, target: UUID) -> int:
    return numbers(kind, [target])[target]


def counterpart_of(schema: LabelSchema) -> Counterpart:
    """A schema that was made in the browser gets its number when a script first meets it."""
    found: Counterpart | None = Counterpart.objects.filter(schema=schema).first()
    return found or Counterpart.objects.get_or_create(schema=schema)[0]


def counterparts_of(schemas: Iterable[LabelSchema]) -> dict[UUID, Counterpart]:
    wanted = {schema.pk: schema for schema in schemas}
    found = {c.schema_id: c for c in Counterpart.objects.filter(schema__in=wanted)}
    for pk, schema in wanted.items():
        if pk not in found:
            found[pk] = counterpart_of(schema)
    return found


def _project(n: int) -> Found:
    found = Counterpart.objects.select_related("schema__project", "schema__dataset").filter(pk=n, schema__deleted_at=None).first()
    if found is None:
        raise NotFound(what="project", name=str(n))
    return found.schema, found


def _task(n: int) -> Found:
    rows = QueueItem.objects.select_related("schema__project", "schema__dataset", "assignment")
    found = rows.filter(pk=n, removed=False, schema__deleted_at=None).first()
    if found is None:
        raise NotFound(what="task", name=str(n))
    return found.schema, found


def _annotation(n: int) -> Found:
    """An annotation, or a skip: to Label Studio it is a cancelled annotation."""
    kind, target = Number.objects.filter(pk=n, kind__in=[ANNOTATION, SKIP]).values_list("kind", "target").first() or ("", None)
    if kind == SKIP and target is not None:
        skips = Skip.objects.select_related("item__schema__project", "item__schema__dataset", "item__assignment", "user")
        skip = skips.filter(pk=target.int, item__schema__deleted_at=None).first()
        if skip is not None:
            return skip.item.schema, skip
    rows = Annotation.objects.select_related("item__schema__project", "item__schema__dataset", "item__assignment", "author")
    found = rows.filter(pk=target, item__schema__deleted_at=None).first() if kind == ANNOTATION else None
    if found is None:
        raise NotFound(what="annotation", name=str(n))
    return found.item.schema, found


def _of(what: str, model: Any, path: str = "schema") -> Callable[[int], Found]:
    def find(n: int) -> Found:
        rows = model.objects.select_related(f"{path}__project", f"{path}__dataset")
        found = rows.filter(**{"pk": n, f"{path}__deleted_at": None}).first()
        if found is None:
            raise NotFound(what=what, name=str(n))
        schema: Any = found
        for step in path.split("__"):
            schema = getattr(schema, step)
        return schema, found

    return find


SUBJECTS: dict[str, Callable[[int], Found]] = {
    "project": _project,
    "task": _task,
    "annotation": _annotation,
    "prediction": _of("prediction", Suggestion, "item__schema"),
    "view": _of("view", View),
    "webhook": _of("webhook", Webhook),
    "ml": _of("ML backend", Backend),
    "export": _of("export", Snapshot),
    "upload": _of("file", FileUpload),
}
