"""The queue as a person meets it: the next item, drafts, submitting, letting go. The SQL functions in `sql/` keep the places; here is
what is checked before them and told after."""

from __future__ import annotations

import json
import random
from typing import Any, cast
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.models import User
from backend.core.queries.rows import one
from backend.labeling.actions import announce, auto_accept, honeypots, measure, outcomes, together, truth
from backend.labeling.errors import (
    AlreadyAccepted,
    AlreadySeen,
    AnnotationChanged,
    DoesNotFit,
    ItemFull,
    ItemRemoved,
    NewerSchema,
    NotForYou,
    NotYoursNow,
    as_problems,
)
from backend.labeling.models import Draft, LabelSchema, QueueItem, Skip
from backend.labeling.queries.items import shown_data, wording
from backend.labeling.queries.schemas import Newest, newest_version
from workers.sdk.labels.results import check

LEASE = "30 minutes"
"""How long a place is held without a sign of life; every draft saved and every look at the item begins it anew."""
BEFORE = (
    "SELECT (SELECT reason FROM labeling_pause WHERE schema_id = %(schema)s AND user_id = %(user)s AND lifted_at IS NULL),"
    " EXISTS (SELECT 1 FROM labeling_lease WHERE schema_id = %(schema)s AND until < statement_timestamp() AND NOT honeypot)"
)
"""Why somebody is paused, and whether leases are over (`sql/00_give_back.sql`)."""

MAY_LABEL = (
    "SELECT 1 FROM labeling_queueitem q WHERE q.id = %(item)s AND ("
    " EXISTS (SELECT 1 FROM labeling_lease WHERE item_id = q.id AND user_id = %(user)s)"
    " OR q.free > 0 AND NOT labeling_saw(q.id, %(user)s)"
    " AND NOT EXISTS (SELECT 1 FROM labeling_annotation WHERE item_id = q.id AND author_id = %(user)s))"
)
"""They hold the item, or could take a place of it by submitting (`sql/02_submit.sql`)."""


def next_item(schema: LabelSchema, user: User, holding: list[int]) -> int | None:
    """The id of the next item, leased to `user`; None when there is none for them. Raises Paused."""
    reason, late = cast("tuple[Any, ...]", one(BEFORE, {"schema": schema.pk, "user": user.pk}))
    honeypots.refuse(schema, reason)
    with connection.cursor() as cursor:
        if late:
            cursor.execute("SELECT labeling_give_back(%s)", [schema.pk])
        cursor.execute("SELECT labeling_next(%s, %s, %s::bigint[], %s::interval)", [schema.pk, user.pk, holding, LEASE])
        found = cursor.fetchone()
    return None if found is None or found[0] is None else int(found[0])


def save_draft(item: QueueItem, user: User, result: Any, number: int) -> int:
    """Keep what a person has so far; `number` says which of two saves is newer. Returns the number that is kept. Also renews the lease."""
    config = wording(newest_version(item.schema))
    kept, problems = check(config, result, shown_data(item, config), complete=False)
    if problems:
        raise DoesNotFit(field=problems[0]["field"], problems=as_problems(problems))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO labeling_draft (item_id, user_id, result, number, updated_at) VALUES (%(item)s, %(user)s,"
            " %(result)s, %(number)s, now())"
            " ON CONFLICT (item_id, user_id) DO UPDATE SET result = excluded.result, number = excluded.number, updated_at = now()"
            " WHERE labeling_draft.number < excluded.number",
            {"item": item.pk, "user": user.pk, "result": json.dumps(kept), "number": number},
        )
        cursor.execute(
            "UPDATE labeling_lease SET until = clock_timestamp() + %s::interval WHERE item_id = %s AND user_id = %s",
            [LEASE, item.pk, user.pk],
        )
    found = Draft.objects.filter(item=item, user=user).values_list("number", flat=True).first()
    return int(found or number)


def submit(
    request: Any, item: QueueItem, user: User, *, id_: UUID, schema_version: int, result: Any, seconds: float, version: int | None
) -> dict[str, Any]:
    """Keep an annotation as said; returns {id, version, outcome}. Whatever is refused stays as a draft."""
    schema = item.schema
    worded = newest_version(schema)
    config = wording(worded)
    kept, problems = check(config, result, shown_data(item, config))
    if problems:
        raise DoesNotFit(field=problems[0]["field"], problems=as_problems(problems))
    if worded.number != schema_version:
        _keep_as_draft(item, user, kept)
        raise NewerSchema(number=worded.number, field="schema_version")
    refuse_others(item, user)
    answer = hand_in(request, item, user, worded, kept, id_=id_, seconds=seconds, version=version)
    if answer["outcome"] not in ("submitted", "changed", "repeated"):
        _keep_as_draft(item, user, kept)
        raise refusal(answer, item)
    return answer


def hand_in(
    request: Any, item: QueueItem, user: User, worded: Newest, kept: list[Any], *, id_: UUID, seconds: float, version: int | None
) -> dict[str, Any]:
    """What was checked goes into the queue, and all that follows from it; what `labeling_submit` answers, which may be a refusal."""
    schema, config = item.schema, wording(worded)
    review = random.random() < schema.review_share  # noqa: S311 - which annotations are sampled is no secret
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT labeling_submit(%s, %s, %s, %s, %s, %s, %s, %s)",
                [item.pk, user.pk, id_, worded.pk, json.dumps(kept), seconds, version, review],
            )
            answer: dict[str, Any] = json.loads(found) if isinstance(found := cursor.fetchone()[0], str) else found
        if answer["outcome"] in ("submitted", "changed"):
            audit.record(
                request, "annotation.submit" if answer["outcome"] == "submitted" else "annotation.change",
                ("annotation", answer["id"], f"{schema.slug} {item.key}"), after=kept, project=schema.project,
            )  # fmt: skip
            if schema.shared:
                together.take_in(item, kept)
            if answer["outcome"] == "submitted" and answer["wanted"] == answer["done"] == 1:
                truth.settle_alone(item.pk, None if review else answer["id"])
            elif answer["outcome"] != "submitted" or (not answer["honeypot"] and answer["done"] >= answer["wanted"]):
                truth.settle(item.pk)
            if answer["suggested"]:
                outcomes.record(item, config, answer["id"], kept)
            if answer["audited"]:
                auto_accept.audited(schema)
            announce.annotation_changed.send(QueueItem, annotation=UUID(str(answer["id"])), item=item.pk, change=answer["outcome"])
        if answer["outcome"] == "submitted":
            honeypots.score(item, user, config, kept)
            measure.now_and_then(schema)
    return answer


def refusal(answer: dict[str, Any], item: QueueItem) -> Exception:
    if answer["outcome"] == "full":
        return ItemFull(wanted=item.wanted)
    if answer["outcome"] == "removed":
        return ItemRemoved()
    if answer["outcome"] == "accepted":
        return AlreadyAccepted()
    if answer["outcome"] == "seen":
        return AlreadySeen()
    if answer["outcome"] == "reworded":
        return NewerSchema(number=newest_version(item.schema, again=True).number, field="schema_version")
    return AnnotationChanged(version=answer["version"], field="version")


def _keep_as_draft(item: QueueItem, user: User, result: list[Any]) -> None:
    number = (Draft.objects.filter(item=item, user=user).values_list("number", flat=True).first() or 0) + 1
    Draft.objects.update_or_create(item=item, user=user, defaults={"result": result, "number": number, "updated_at": timezone.now()})


def refuse_others(item: QueueItem, user: User) -> None:
    """Raises NotForYou where the item is set aside for other people."""
    assignment = item.assignment
    if assignment is not None and not assignment.people.filter(pk=user.pk).exists():
        raise NotForYou(assignment=assignment.name)


def refuse_opening(item: QueueItem, user: User) -> None:
    """Raises what speaks against somebody's labelling this item now. That they may annotate is checked before."""
    if item.schema.shared:
        together.refuse(item, user)
        return
    if item.removed:
        raise ItemRemoved()
    refuse_others(item, user)
    honeypots.refuse_paused(item.schema, user)
    if not one(MAY_LABEL, {"item": item.pk, "user": user.pk}):
        raise NotYoursNow()


def leave(request: Any, item: QueueItem, user: User, *, skip: bool, reason: str = "") -> None:
    """Let an item go; `skip` also keeps it away from this person. Their draft stays."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT labeling_leave(%s, %s, %s, %s)", [item.pk, user.pk, skip, reason[:500]])
        if skip:
            audit.record(
                request, "queue_item.skip", ("queue_item", item.pk, item.key), project=item.schema.project, details={"reason": reason[:200]}
            )


def unskip(request: Any, item: QueueItem, user: User) -> None:
    """They may be given an item again that they had skipped."""
    with transaction.atomic():
        gone, _ = Skip.objects.filter(item=item, user=user).delete()
        if gone:
            audit.record(
                request, "queue_item.unskip", ("queue_item", item.pk, item.key), project=item.schema.project,
                details={"person": user.email},
            )  # fmt: skip
