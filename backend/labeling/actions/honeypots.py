"""Honeypots: items whose answer is known, mixed into what people are given (`sql/01_next.sql`), and what follows from their answers.

Nobody who may not review can tell one: `queries.masks` hides whatever would differ. The first answer of a person counts; who scores below
the schema's `pause_below` over their newest `NEWEST` is given nothing more until a manager lifts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import InvalidInput, NotFound
from backend.core.models import User
from backend.labeling.actions.announce import schema_changed
from backend.labeling.errors import DoesNotFit, Paused, as_problems
from backend.labeling.models import Honeypot, HoneypotScore, LabelSchema, Pause, QueueItem
from backend.labeling.queries.items import shown_data, wording
from backend.labeling.queries.schemas import newest_version
from workers.sdk.labels.agreement import agreement
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.results import check

NEWEST, FEWEST = 20, 5
"""A person is judged by so many of their newest honeypots, and not by fewer than `FEWEST`."""


def refuse_paused(schema: LabelSchema, user: User) -> None:
    """Raises Paused."""
    refuse(schema, Pause.objects.filter(schema=schema, user=user, lifted_at=None).values_list("reason", flat=True).first())


def refuse(schema: LabelSchema, reason: str | None) -> None:
    """The same for a reason that was read; None: they are not paused."""
    if reason is not None:
        raise Paused(schema=schema.name, reason=reason, hint="Talk to whoever manages the labels; they can let you go on.")


def score(item: QueueItem, user: User, config: LabelConfig, result: list[Any]) -> None:
    """Compare a first answer with the known one, if there is one. The caller is in a transaction."""
    schema = item.schema
    known = Honeypot.objects.filter(item=item).first() if schema.honeypot_share > 0 else None
    if known is None:
        return
    found = agreement(config, known.answer, result)
    HoneypotScore.objects.get_or_create(honeypot=known, user=user, defaults={"schema": schema, "score": found})
    if schema.pause_below is None:
        return
    lifted = Pause.objects.filter(schema=schema, user=user).order_by("-lifted_at").values_list("lifted_at", flat=True).first()
    scores = HoneypotScore.objects.filter(schema=schema, user=user, **({"created_at__gt": lifted} if lifted else {}))
    newest = list(scores.order_by("-created_at").values_list("score", flat=True)[:NEWEST])
    if len(newest) >= FEWEST and sum(newest) / len(newest) < schema.pause_below:
        reason = f"your answers agree with the known ones by {sum(newest) / len(newest):.0%}, and {schema.pause_below:.0%} are asked for"
        _, made = Pause.objects.get_or_create(schema=schema, user=user, lifted_at=None, defaults={"reason": reason})
        if made:
            audit.record(None, "label_schema.pause", ("label_schema", schema.pk, schema.slug), project=schema.project,
                         details={"person": str(user.pk), "reason": reason})  # fmt: skip
            schema_changed(schema)


def lift(request: Any, schema: LabelSchema, person: UUID, user: User) -> None:
    """Let a paused person go on, with a clean slate."""
    with transaction.atomic():
        lifted = Pause.objects.filter(schema=schema, user=person, lifted_at=None).update(lifted_at=timezone.now(), lifted_by=user)
        if not lifted:
            raise NotFound(what="paused person", name=str(person))
        audit.record(request, "label_schema.lift", ("label_schema", schema.pk, schema.slug), project=schema.project,
                     details={"person": str(person)})  # fmt: skip
        schema_changed(schema)


def add_from_truth(request: Any, schema: LabelSchema, user: User, number: int) -> int:
    """At most `number` items, drawn at random, whose ground truth a person decided. Returns how many there are more."""
    decided = QueueItem.objects.filter(
        schema=schema, removed=False, honeypot=None, truth__how="", truth__reviews__verdict__in=["accepted", "fixed", "adjudicated"]
    )
    drawn = list(decided.distinct().values_list("pk", flat=True))
    if not drawn:
        raise InvalidInput(
            message="No item has a ground truth that a person decided.", field="number",
            hint="Review or adjudicate some items, or send answers of your own.",
        )  # fmt: skip
    rows = QueueItem.objects.filter(pk__in=drawn).select_related("truth").order_by("?")[:number]
    return _add(request, schema, user, [(item, item.truth.result) for item in rows], "truth")


def add_items(request: Any, schema: LabelSchema, user: User, wanted: Sequence[dict[str, Any]]) -> int:
    """Items by `item` (id) or `key`, with a `result` of one's own or else their ground truth. Returns how many there are more."""
    ids, keys = [w["item"] for w in wanted if w.get("item")], [w["key"] for w in wanted if w.get("key")]
    rows = QueueItem.objects.filter(schema=schema, removed=False).select_related("truth", "schema")
    by_id = {row.pk: row for row in rows.filter(pk__in=ids)}
    by_key = {row.key: row for row in rows.filter(key__in=keys)}
    config = wording(newest_version(schema))
    chosen = []
    for n, one in enumerate(wanted):
        item = by_id.get(one["item"]) if one.get("item") else by_key.get(one.get("key") or "")
        if item is None:
            raise InvalidInput(message=f"There is no item “{one.get('item') or one.get('key') or ''}”.", field=f"items.{n}")
        result = one.get("result")
        if result is None:
            if item.truth is None:
                raise InvalidInput(message=f"“{item.key}” has no ground truth yet; send the answer.", field=f"items.{n}.result")
            result = item.truth.result
        kept, problems = check(config, result, shown_data(item, config))
        if problems:
            raise DoesNotFit(field=f"items.{n}.{problems[0]['field']}", problems=as_problems(problems))
        chosen.append((item, kept))
    return _add(request, schema, user, chosen, "given")


def _add(request: Any, schema: LabelSchema, user: User, chosen: Sequence[tuple[QueueItem, Any]], source: str) -> int:
    with transaction.atomic():
        before = schema.honeypots.count()
        Honeypot.objects.bulk_create(
            [Honeypot(item=item, schema=schema, answer=answer, source=source, created_by=user) for item, answer in chosen],
            ignore_conflicts=True, batch_size=1000,
        )  # fmt: skip
        added: int = schema.honeypots.count() - before
        audit.record(request, "label_schema.honeypots", ("label_schema", schema.pk, schema.slug), details={"added": added, "from": source})
        schema_changed(schema)
    return added


def remove(request: Any, schema: LabelSchema, item: int) -> None:
    """It is an item like others again; scores of it go too."""
    with transaction.atomic():
        found = Honeypot.objects.filter(schema=schema, item=item).annotate(key=F("item__key")).first()
        if found is None:
            raise NotFound(what="honeypot", name=str(item))
        audit.record(request, "label_schema.honeypot_removed", ("label_schema", schema.pk, schema.slug), details={"item": found.key})
        found.delete()
        schema_changed(schema)
