"""In which order a queue is labelled: `rank`, lowest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import connection
from django.db.models import F
from django.db.models.functions import Random

from backend.labeling.models import Cursor, LabelSchema, QueueItem

LAST = 1e9
"""Rank from which items lie of which no model has said anything; scores are far below, and so are they before."""
UNCERTAIN = (
    "WITH held AS (SELECT id FROM labeling_queueitem WHERE schema_id = %(schema)s AND (%(items)s::bigint[] IS NULL OR id = ANY (%(items)s))"
    "  ORDER BY id FOR NO KEY UPDATE)"  # in one order for all, so that two who suggest do not wait for each other
    " UPDATE labeling_queueitem q SET rank = coalesce((SELECT h.rank FROM labeling_heldback h WHERE h.item_id = q.id),"
    "  (SELECT s.score FROM labeling_suggestion s WHERE s.item_id = q.id ORDER BY s.id DESC"
    "  LIMIT 1), %(last)s + q.position) FROM held WHERE q.id = held.id"
)

_offered: dict[str, Callable[[LabelSchema], None]] = {}


def offer(name: str, wanted: Callable[[LabelSchema], None]) -> None:
    """An order that a later stage of the route makes: `wanted` is called in the transaction in which a schema is to have it. From an app's
    `AppConfig.ready`."""
    _offered[name] = wanted


def place(order: str, position: int, chance: float) -> float:
    """The rank of an item that is new to the queue; `chance` is a random number from 0 to 1."""
    return {"random": chance, "sequential": position}.get(order, LAST + position)


def arrange(schema: LabelSchema) -> None:
    """Give all items the ranks of the schema's order; everybody begins at the front of it. The caller is in a transaction."""
    if schema.order in _offered:
        _offered[schema.order](schema)
        return
    if schema.order == "uncertain":
        _uncertain(schema, None)
    else:
        QueueItem.objects.filter(schema=schema).update(rank=Random() if schema.order == "random" else F("position"))
        hold(schema)
    Cursor.objects.filter(schema=schema).delete()


def suggested(schema: LabelSchema, items: Sequence[int], *, anew: bool = True) -> None:
    """A model has said something of these items: where the uncertain ones come first, they move. `anew`: and everybody begins at the front;
    without, what moved there is found when the queue begins again from its front by itself."""
    if schema.order == "uncertain" and items:
        _uncertain(schema, list(items))
        if anew:
            Cursor.objects.filter(schema=schema).delete()


def hold(schema: LabelSchema) -> None:
    """Items that are held back for a purpose lie where that needs them, in every order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE labeling_queueitem q SET rank = h.rank FROM labeling_heldback h WHERE h.item_id = q.id AND h.schema_id = %s"
            " AND h.rank IS NOT NULL AND q.rank <> h.rank",
            [schema.pk],
        )


def _uncertain(schema: LabelSchema, items: list[int] | None) -> None:
    """By the score of each item's newest suggestion."""
    with connection.cursor() as cursor:
        cursor.execute(UNCERTAIN, {"last": LAST, "schema": schema.pk, "items": items})
