"""Reading what was said of a schema's items, a page at a time, for whoever may see it: an export of a million takes the memory of a page.

It is no snapshot: what is submitted while an export is read may or may not be in it; no item comes twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

from django.db import connection
from django.db.models import F, Q, QuerySet

from backend.artifacts.aside import let_go
from backend.core.models import User
from backend.labeling.models import Annotation, LabelSchema, QueueItem
from backend.labeling.queries.items import shown_data, visible
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.travel import Item, Said

What = Literal["annotations", "truth"]
PAGE = 250
Json = dict[str, Any]


def exported(schema: LabelSchema, user: User, role: str, what: What) -> QuerySet[Annotation]:
    """The annotations that go out: all that were submitted and not rejected, or the ground truth; only what `user` may see."""
    rows = Annotation.objects.filter(visible(schema, user, role), schema=schema, item__removed=False).exclude(status="rejected")
    return rows.filter(pk=F("item__truth_id")) if what == "truth" else rows


def counted(schema: LabelSchema, user: User, role: str, what: What) -> tuple[int, int]:
    """(Items, annotations) that go out."""
    rows = exported(schema, user, role, what)
    return rows.values("item").distinct().count(), rows.count()


def items(schema: LabelSchema, user: User, role: str, what: What, config: LabelConfig) -> Iterator[Item]:
    """In the order of the data set. Holds no database connection between two pages."""
    position, last = -1, 0
    rows = QueueItem.objects.filter(schema=schema, removed=False, done__gt=0).order_by("position", "pk")
    while True:
        # Only items are paged through, by their index; whether somebody may see what was said of them is asked for a page at once.
        page = list(rows.filter(Q(position__gt=position) | Q(pk__gt=last), position__gte=position)[:PAGE])
        found = _said(schema, user, role, what, page)
        let_go()
        yield from (_item(item, config, found[item.pk]) for item in page if found[item.pk])
        if len(page) < PAGE:
            return
        position, last = page[-1].position, page[-1].pk


def _said(schema: LabelSchema, user: User, role: str, what: What, page: list[QueueItem]) -> dict[int, list[Said]]:
    truths = {item.pk: item.truth_id for item in page}
    found: dict[int, list[Said]] = defaultdict(list)
    # The items say already that they belong to the schema and are not removed. Said again, it led PostgreSQL, before it had statistics of
    # what was just imported, to look at every annotation of the schema with every item, for each page.
    rows = Annotation.objects.filter(visible(schema, user, role), item__in=list(truths)).exclude(status="rejected")
    if what == "truth":
        rows = rows.filter(pk__in=[truth for truth in truths.values() if truth])
    values = rows.order_by("item", "created_at", "pk")
    fields = ("item_id", "pk", "result", "author__email", "author_name", "status", "seconds", "created_at", "updated_at")
    for item, pk, result, author, name, status, seconds, created, updated in values.values_list(*fields):
        found[item].append(
            Said(
                id=str(pk), result=result, author=author or name, status=status, truth=truths[item] == pk, seconds=seconds,
                created_at=created.isoformat(), updated_at=updated.isoformat(),
            )
        )  # fmt: skip
    return found


def _item(item: QueueItem, config: LabelConfig, said: list[Said]) -> Item:
    return Item(
        id=item.pk, key=item.key, digest=item.digest, media_type=item.media_type, width=item.width, height=item.height, data=item.data,
        shown=partial(shown_data, item, config), said=tuple(said),
    )  # fmt: skip


def same_stem(schema: LabelSchema) -> str:
    """Two items whose paths differ in their ending only, if there are such: “a.png and a.jpg”."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(key), max(key) FROM labeling_queueitem WHERE schema_id = %s AND NOT removed"
            r" GROUP BY regexp_replace(key, '([^/])\.[^./]*$', '\1') HAVING count(*) > 1 LIMIT 1",
            [schema.pk],
        )
        found = cursor.fetchone()
    return f"{found[0]} and {found[1]}" if found else ""
