"""Many items labelled in one go: one transaction, by the rules of a single submission, item by item; undone as one."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.ids import new_id
from backend.core.models import User
from backend.core.permissions import may
from backend.labeling.actions import honeypots, queue, withdraw
from backend.labeling.actions.announce import schema_changed
from backend.labeling.errors import DoesNotFit, NewerSchema, NotTheirs, as_problems
from backend.labeling.models import Annotation, Assignment, LabelSchema, QueueItem
from backend.labeling.queries.items import shown_data, wording
from backend.labeling.queries.schemas import newest_version
from backend.similarity.actions import aside
from backend.similarity.errors import BulkUndone
from backend.similarity.models import Bulk, BulkLabel
from workers.sdk.labels.results import check

LABELLED = "You have labelled it already."


def label(
    request: Any, schema: LabelSchema, user: User, *, items: list[int], schema_version: int, result: list[Any], seconds: float
) -> tuple[Bulk, list[dict[str, Any]]]:
    """What was made, and the items that were refused, with why. Raises DoesNotFit, NewerSchema or Paused, which hold for all."""
    honeypots.refuse_paused(schema, user)
    worded = newest_version(schema, again=True)
    config = wording(worded)
    if worded.number != schema_version:
        raise NewerSchema(number=worded.number, field="schema_version")
    refused: list[dict[str, Any]] = []
    with transaction.atomic():
        # In the order of their ids, as everybody locks them.
        rows = list(QueueItem.objects.select_for_update(of=("self",), no_key=True).filter(schema=schema, pk__in=items).order_by("pk"))
        _checked(rows, config, result)
        there = {row.pk for row in rows}
        refused += [{"item": item, "why": "It is not in this queue."} for item in items if item not in there]
        named = {a.pk: a for a in Assignment.objects.filter(schema=schema).prefetch_related("people")}
        theirs = {pk for pk, one in named.items() if user.pk in {p.pk for p in one.people.all()}}
        mine = set(Annotation.objects.filter(item__in=there, author=user).values_list("item_id", flat=True))
        bulk = Bulk.objects.create(schema=schema, kind="label", result=result, created_by=user)
        made: list[Any] = []
        for item in rows:
            item.schema = schema
            if item.pk in mine:
                refused.append({"item": item.pk, "why": LABELLED})
                continue
            if item.assignment_id and item.assignment_id not in theirs:
                refused.append({"item": item.pk, "why": f"It is set aside for others: {named[item.assignment_id].name}."})
                continue
            kept, _ = check(config, [{**region, "id": new_id().hex[:12]} for region in result], shown_data(item, config))
            answer = queue.hand_in(request, item, user, worded, kept, id_=new_id(), seconds=seconds / len(rows), version=None)
            if answer["outcome"] == "submitted":
                made.append(answer["id"])
            else:
                refused.append({"item": item.pk, "why": _why(queue.refusal(answer, item))})
        BulkLabel.objects.bulk_create([BulkLabel(annotation_id=id_, bulk=bulk) for id_ in made])
        bulk.count = len(made)
        bulk.save(update_fields=["count"])
        audit.record(
            request, "annotation.bulk", ("bulk", bulk.pk, schema.slug), after=result, project=schema.project,
            details={"items": len(made), "refused": len(refused)},
        )  # fmt: skip
        schema_changed(schema)
    return bulk, refused


def _checked(rows: list[QueueItem], config: Any, result: list[Any]) -> None:
    """Raises DoesNotFit with what is wrong with the label itself."""
    shown = shown_data(rows[0], config) if rows else {o.name: "" for o in config.objects}
    _, problems = check(config, result, shown)
    if problems:
        raise DoesNotFit(field=problems[0]["field"], problems=as_problems(problems))


def _why(error: Exception) -> str:
    text = str(error).split(";")[0].strip()
    return text if text.endswith(".") else f"{text}."


def undo(request: Any, bulk: Bulk, user: User, role: str) -> dict[str, int]:
    """Take back what it did, as far as nobody has gone on from there; {undone, kept}."""
    if bulk.created_by_id != user.pk and not may(role, "label.manage"):
        raise NotTheirs
    with transaction.atomic():
        if not Bulk.objects.filter(pk=bulk.pk, undone_at=None).update(undone_at=timezone.now(), undone_by=user):
            raise BulkUndone
        found = aside.bring_back(bulk) if bulk.kind == "aside" else _take_back(request, bulk, user, role)
        audit.record(request, "bulk.undo", ("bulk", bulk.pk, bulk.schema.slug), project=bulk.schema.project, details=found)
        schema_changed(bulk.schema)
    return found


def _take_back(request: Any, bulk: Bulk, user: User, role: str) -> dict[str, int]:
    """What was changed or accepted by a reviewer since stays."""
    rows = list(
        Annotation.objects.filter(of_bulk__bulk=bulk).select_related("item__schema__project").prefetch_related("coauthors").order_by("item")
    )
    undone = 0
    for row in rows:
        if row.version != 1 or row.status == "accepted":
            continue
        withdraw.withdraw(request, row, user, role)
        undone += 1
    return {"undone": undone, "kept": bulk.count - undone}
