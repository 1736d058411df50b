"""What lies near an item, or near words."""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from backend.artifacts.aside import let_go
from backend.artifacts.errors import HandBusy
from backend.core.errors import InvalidInput, NotFound
from backend.core.models import User
from backend.labeling.models import LabelSchema, QueueItem
from backend.similarity.errors import NotComputed, NoTextSearch
from backend.similarity.models import Space, Vector
from backend.similarity.processes import calculator
from backend.similarity.queries.said import said
from backend.similarity.queries.spaces import find_space, newest_ready
from workers.sdk.embedders import EMBEDDERS
from workers.sdk.store import media_type_of

MOST = 200
PATIENCE_S = 120.0
"""How long words may take to be placed: a checkpoint is loaded for the first ones."""
_one_at_a_time = threading.BoundedSemaphore(1)
ITEM = (
    " JOIN LATERAL (SELECT * FROM labeling_queueitem x WHERE x.schema_id = %(schema)s AND x.digest = v.digest AND NOT x.removed"
    " ORDER BY x.id LIMIT 1) q ON true"
)
STATES = {
    "labelled": "said.id IS NOT NULL",
    "unlabelled": "said.id IS NULL",
    "mine": "said.mine",
}


def refuse_empty(space: Space) -> None:
    if not space.dimension or not space.version:
        raise NotComputed


def space_of(schema: LabelSchema, id_: UUID | None) -> Space:
    """The space that is named, or the one computed last; raises NotFound or NotComputed."""
    if id_ is not None:
        return find_space(schema.project, schema.dataset.slug, id_)
    found = newest_ready(schema.dataset)
    if found is None:
        raise NotComputed
    return found


def schema_for(schema: LabelSchema | None, space: Space, state: str | None = None, label: str | None = None) -> LabelSchema | None:
    """Raises InvalidInput for a schema of other data, and for filters that need one."""
    if schema is None and (state is not None or label is not None):
        raise InvalidInput(message="Labels belong to a label schema.", field="state" if state else "label", hint="Name a `label_schema`.")
    if schema is not None and schema.dataset_id != space.dataset_id:
        raise InvalidInput(message=f"“{schema.slug}” asks about another data set.", field="label_schema")
    return schema


def picture(space: Space, digest: str) -> tuple[str, str]:
    """(file name, media type) of an item's bytes; raises NotFound, also where items have none."""
    found = Vector.objects.filter(space=space, digest=digest).values_list("key", flat=True).first()
    if found is None or space.dataset.modality != "images":
        raise NotFound(what="picture", name=digest[:12])
    return found.rsplit("/", 1)[-1], media_type_of(found)


def asked(space: Space, schema: LabelSchema | None, like: str | None, item: int | None, text: str | None) -> tuple[str, str]:
    """(The vector, the digest that is left out) of what is named: a content, an item of the schema's queue, or words."""
    refuse_empty(space)
    if item is not None and like is None:
        row = QueueItem.objects.filter(schema=schema, pk=item).values_list("digest", flat=True).first() if schema else None
        if row is None:
            raise NotFound(what="item of this queue", name=str(item), field="item")
        like = row
    words = (text or "").strip()
    if (like is None) == (not words):
        raise InvalidInput(
            message="Name an item or words, and not both.", field="like", hint="`like` is a digest, `text` what to look for."
        )
    return (vector_of(space, like), like) if like is not None else (vector_for(space, words), "")


def vector_of(space: Space, digest: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT vector::text FROM similarity_vector WHERE space_id = %s AND digest = %s", [space.pk, digest])
        row = cursor.fetchone()
    if row is None:
        raise NotFound(what="item in this space", name=digest[:12])
    return str(row[0])


def vector_for(space: Space, text: str) -> str:
    """Where words lie; raises NoTextSearch where the space knows no words, or not these."""
    if not space.takes_text:
        raise NoTextSearch(why=EMBEDDERS[space.embedder].why_no_text, field="text")
    return _placed(space.pk, space.learned, text)


@lru_cache(maxsize=256)
def _placed(space_id: UUID, learned: str, text: str) -> str:
    space = Space.objects.get(pk=space_id)
    let_go()
    if not _one_at_a_time.acquire(timeout=PATIENCE_S):
        raise HandBusy
    try:
        with calculator(space, seconds=PATIENCE_S) as process:
            return str(process.ask(query=text)["vector"])
    finally:
        _one_at_a_time.release()


def near(
    space: Space,
    vector: str,
    *,
    schema: LabelSchema | None,
    user: User,
    role: str,
    state: str | None,
    label: str | None,
    limit: int,
    leave_out: str,
) -> list[dict[str, Any]]:
    """The nearest first, `leave_out` (a digest) not among them. With a schema each has its item of the queue and what the caller may know
    of its labels; `state` and `label` filter by that."""
    refuse_empty(space)
    kind = f"vector({int(space.dimension)})"
    distance = f"v.vector::{kind} <=> %(vector)s::{kind}"
    parameters: dict[str, Any] = {"vector": vector, "limit": limit, "out": leave_out, "label": label}
    fields, joins, conditions = "NULL, NULL, false, false", "", ""
    if schema is not None:
        known = said(schema, user, role)
        parameters |= {**known.parameters, "schema": schema.pk}
        fields = "q.id, said.label, said.id IS NOT NULL, coalesce(said.mine, false)"
        joins = ITEM + known.join
        conditions = (f" AND {STATES[state]}" if state else "") + (" AND said.label = %(label)s" if label is not None else "")
    with transaction.atomic(), connection.cursor() as cursor:
        # What the filters leave out must not leave the list short: the index goes on until there are enough.
        cursor.execute("SET LOCAL hnsw.iterative_scan = 'strict_order'; SET LOCAL hnsw.ef_search = 100")
        cursor.execute(
            f"SELECT v.id, v.digest, v.key, v.shown::text, v.cluster, {distance} AS distance, {fields} FROM similarity_vector v{joins}"  # noqa: S608 - our own words, an id and a number
            f" WHERE v.space_id = '{space.pk}' AND v.present AND v.digest <> %(out)s{conditions} ORDER BY {distance} LIMIT %(limit)s",
            parameters,
        )
        return [item_out(row) for row in cursor.fetchall()]


def item_out(row: tuple[Any, ...]) -> dict[str, Any]:
    names = ("id", "digest", "key", "shown", "cluster", "distance", "item", "label", "labelled", "mine")
    found = dict(zip(names, row, strict=True))
    return {**found, "shown": json.loads(found["shown"]), "distance": None if found["distance"] is None else max(found["distance"], 0.0)}
