"""The shared draft of an item: who may edit it, and its log.

The log of updates is the truth, as that of pipelines (`pipelines.actions.draft`): who writes holds the draft's row lock while reading the
log, appending to it and, now and then, compacting it. Whoever changed something is named as an author of what is submitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Length

from backend.core.events import send
from backend.core.live import updates as yjs
from backend.core.models import User
from backend.labeling import document
from backend.labeling.actions.honeypots import refuse_paused
from backend.labeling.errors import AlreadySeen, ItemClosed, ItemRemoved, NotForYou, NotShared
from backend.labeling.models import Annotation, QueueItem, SharedDraft, SharedUpdate
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version

COMPACT_ROWS, COMPACT_BYTES = 200, 1024 * 1024
"""A log longer than this, behind its first update, becomes one update; and the older strokes of its masks become one (`document.fold`)."""
LEASE = "30 minutes"
"""As `queue.LEASE`: whoever edits a shared draft keeps its item from being given to others, whosever lease it is."""


@dataclass(frozen=True, kw_only=True)
class Appended:
    """`others` is what the log held after `seen` that the caller had not sent itself; `last` is the log's end."""

    last: int
    others: list[bytes]


def group(item: int) -> str:
    """The channel layer's group of everybody who has this draft open."""
    return f"label_item.{item}"


def refuse(item: QueueItem, user: User) -> None:
    """Raises what speaks against somebody's editing the shared draft of this item. That they may annotate is checked before."""
    if not item.schema.shared or item.schema.deleted_at is not None:
        raise NotShared()
    if item.removed:
        raise ItemRemoved()
    if item.assignment is not None and not item.assignment.people.filter(pk=user.pk).exists():
        raise NotForYou(assignment=item.assignment.name)
    refuse_paused(item.schema, user)
    said = Annotation.objects.filter(item=item, how="", honeypot=False)
    part = Q(author=user) | Q(coauthors=user) | Q(item__shared_draft__people=user)
    if said.exists() and not said.filter(part).exists():
        raise ItemClosed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT labeling_saw(%s, %s)", [item.pk, user.pk])
        if cursor.fetchone()[0]:
            raise AlreadySeen()


def _hold(item: QueueItem) -> None:
    """Take the draft's row lock, which the caller's transaction keeps; its log begins with what was said of the item, if something was."""
    SharedDraft.objects.get_or_create(item=item)
    list(SharedDraft.objects.select_for_update().filter(item=item))
    if SharedUpdate.objects.filter(draft_id=item.pk).exists():
        return
    said = Annotation.objects.filter(item=item, how="", honeypot=False).order_by("-updated_at").first()
    if said is None:
        return
    update = document.write(yjs.load([]), wording(newest_version(item.schema)), said.result)
    if update != yjs.EMPTY:
        SharedUpdate.objects.create(draft_id=item.pk, update=update)


def _log(item: QueueItem, after: int = 0) -> list[tuple[int, bytes]]:
    """(Number, update) of the log behind number `after`."""
    rows = SharedUpdate.objects.filter(draft_id=item.pk, pk__gt=after).order_by("pk").values_list("pk", "update")
    return [(pk, bytes(update)) for pk, update in rows]


def read_log(item: QueueItem) -> tuple[list[bytes], int]:
    """The document's updates and the number of the last."""
    with transaction.atomic():
        _hold(item)
        rows = _log(item)
    return [update for _, update in rows], rows[-1][0] if rows else 0


def append_updates(item: QueueItem, updates: Sequence[bytes], seen: int, authors: Sequence[UUID] = ()) -> Appended:
    """Append what people changed; they are authors from now on, and the item stays theirs. Of the log only what is new is read, but for
    compacting it."""
    with transaction.atomic():
        _hold(item)
        others = [update for _, update in _log(item, seen)]
        if updates:
            SharedUpdate.objects.create(draft_id=item.pk, update=yjs.merge(updates))
            SharedDraft.objects.get(item=item).people.add(*User.objects.filter(pk__in=authors))
        log = list(SharedUpdate.objects.filter(draft_id=item.pk).order_by("pk").values_list("pk", Length("update")))
        last = log[-1][0] if log else 0
        if len(log) > COMPACT_ROWS or sum(size for _, size in log[1:]) > COMPACT_BYTES:
            last, folded = _compact(item)
            others += folded
    if updates:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE labeling_lease SET until = clock_timestamp() + %s::interval WHERE item_id = %s", [LEASE, item.pk])
    return Appended(last=last, others=others)


def _compact(item: QueueItem) -> tuple[int, list[bytes]]:
    """(The number of the new row, the update that folded strokes, if one did.) The new row has a higher number than all it stands for, so
    whoever had not seen some of them reads it next. The caller has the row lock, so nothing is written in between."""
    whole = yjs.merge([update for _, update in _log(item)])
    folded = document.fold(yjs.load([whole]))
    news = [] if folded == yjs.EMPTY else [folded]
    number: int = SharedUpdate.objects.create(draft_id=item.pk, update=yjs.compact([whole, *news])).pk
    SharedUpdate.objects.filter(draft_id=item.pk, pk__lt=number).delete()
    return number, news


def take_in(item: QueueItem, result: list[Any]) -> None:
    """What was submitted is in the draft too, also where its page's last changes are still on their way; and those who have it open are
    told. The caller is in a transaction."""
    _hold(item)
    update = document.write(yjs.load(each for _, each in _log(item)), wording(newest_version(item.schema)), result)
    event: dict[str, Any] = {"look": True, "from": ""}
    if update != yjs.EMPTY:
        SharedUpdate.objects.create(draft_id=item.pk, update=update)
        event["update"] = update
    transaction.on_commit(partial(send, group(item.pk), event), robust=True)
