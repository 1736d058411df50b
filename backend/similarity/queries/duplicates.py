"""Items of a queue that are the same, or nearly: groups by union-find over the near pairs of a space, and over equal bytes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import connection

from backend.core.models import User
from backend.labeling.models import LabelSchema
from backend.similarity.models import Pair, Space
from backend.similarity.queries.map import items
from backend.similarity.queries.near import refuse_empty

GROUPS, EACH = 100, 50
"""Groups in an answer, the largest first, and items shown of one."""


def groups(space: Space, schema: LabelSchema, user: User, role: str, distance: float) -> dict[str, Any]:
    """{groups: [{distance (the widest pair), count, items}], total, spare (how many items would go if each group kept one)}. Distance 0
    finds equal bytes alone."""
    refuse_empty(space)
    found = Union()
    widest: dict[int, float] = defaultdict(float)
    if distance > 0:
        for one, other, apart in Pair.objects.filter(space=space, distance__lte=distance).values_list("one_id", "other_id", "distance"):
            root = found.join(one, other)
            widest[root] = max(widest[root], apart)
    queue = _queue_items(space, schema, found)
    sets = [(root, members) for root, members in found.sets(queue).items() if sum(len(queue[v]) for v in members) > 1]
    sets.sort(key=lambda one: (-sum(len(queue[v]) for v in one[1]), one[0]))
    shown = sets[:GROUPS]
    known = {one["id"]: one for one in items(space, schema, user, role, [v for _, members in shown for v in members[:EACH]])}
    told = []
    for root, members in shown:
        rows = [{**known[v], "item": item, "key": key} for v in members[:EACH] if v in known for item, key in queue[v]]
        told.append({"distance": widest[found.root(root)], "count": sum(len(queue[v]) for v in members), "items": rows[:EACH]})
    spare = sum(sum(len(queue[v]) for v in members) - 1 for _, members in sets)
    return {"groups": told, "total": len(sets), "spare": spare}


def _queue_items(space: Space, schema: LabelSchema, found: Union) -> dict[int, list[tuple[int, str]]]:
    """The items of the queue that are in a group, by vector: those in a pair, and those whose bytes several have."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.id, q.id, q.key FROM labeling_queueitem q JOIN similarity_vector v ON v.space_id = %(space)s AND v.digest = q.digest"
            " WHERE q.schema_id = %(schema)s AND NOT q.removed AND v.present AND (v.id = ANY (%(paired)s) OR q.digest IN ("
            "  SELECT digest FROM labeling_queueitem WHERE schema_id = %(schema)s AND NOT removed GROUP BY digest HAVING count(*) > 1))"
            " ORDER BY q.position, q.id",
            {"space": space.pk, "schema": schema.pk, "paired": found.known()},
        )
        queue: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for vector, item, key in cursor.fetchall():
            queue[vector].append((item, key))
    return dict(queue)


class Union:
    """Disjoint sets of ids (Tarjan, 1975), with path halving."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def root(self, one: int) -> int:
        above = self._above
        above.setdefault(one, one)
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    def join(self, one: int, other: int) -> int:
        """The root of both from now on: the smaller."""
        a, b = sorted((self.root(one), self.root(other)))
        self._above[b] = a
        return a

    def known(self) -> list[int]:
        return list(self._above)

    def sets(self, of: dict[int, Any]) -> dict[int, list[int]]:
        """By root, the ids of `of`."""
        found: dict[int, list[int]] = defaultdict(list)
        for one in of:
            found[self.root(one)].append(one)
        return found
