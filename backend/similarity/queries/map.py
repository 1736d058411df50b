"""The map of a space: every point in a few arrays, what a selection holds, and the clusters by what is typical of them."""

from __future__ import annotations

from typing import Any

from django.db import connection

from backend.core.models import User
from backend.labeling.models import LabelSchema
from backend.similarity.models import Space
from backend.similarity.queries.near import ITEM, item_out, refuse_empty
from backend.similarity.queries.said import LABEL, Said, said

MOST = 200_000
"""Points of a map; a larger data set shows those that differ most."""
MAYBE = f" LEFT{ITEM}"
SUGGESTED = (
    f" LEFT JOIN LATERAL (SELECT {LABEL.format(of='s.result')} AS label FROM labeling_suggestion s WHERE s.item_id = q.id"  # noqa: S608 - ours
    " AND NOT EXISTS (SELECT 1 FROM labeling_heldback h WHERE h.item_id = q.id) ORDER BY s.id DESC LIMIT 1) hinted ON true"
)


def points(space: Space, schema: LabelSchema | None, user: User, role: str, by: str) -> dict[str, Any]:
    """{ids, x, y, items, values (a number into `names`, -1 for none), names}: coloured `by` cluster, label, annotator or suggested."""
    refuse_empty(space)
    parameters: dict[str, Any] = {"space": space.pk, "most": MOST}
    joins, item, value = "", "NULL::bigint", "v.cluster::text" if by == "cluster" else "NULL"
    if schema is not None:
        known = said(schema, user, role)
        parameters |= {**known.parameters, "schema": schema.pk}
        joins, item = MAYBE, "q.id"
        if by in ("label", "annotator"):
            joins += known.join
            value = "said.label" if by == "label" else "coalesce((SELECT u.name FROM core_user u WHERE u.id = said.author), '')"
            if by == "annotator":
                value = f"CASE WHEN said.author IS NOT NULL THEN {value} END"
        elif by == "suggested":
            joins += SUGGESTED
            value = "hinted.label"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT v.id, round(v.x::numeric, 2)::float8, round(v.y::numeric, 2)::float8, {item}, {value} FROM similarity_vector v{joins}"  # noqa: S608 - our own words
            " WHERE v.space_id = %(space)s AND v.present AND v.x IS NOT NULL ORDER BY v.place LIMIT %(most)s",
            parameters,
        )
        rows = cursor.fetchall()
    names = sorted({row[4] for row in rows if row[4] is not None}, key=lambda n: (len(n), n) if by == "cluster" else (0, n))
    number = {name: n for n, name in enumerate(names)}
    return {
        "ids": [row[0] for row in rows], "x": [row[1] for row in rows], "y": [row[2] for row in rows], "items": [row[3] for row in rows],
        "values": [-1 if row[4] is None else number[row[4]] for row in rows], "names": names,
    }  # fmt: skip


def items(space: Space, schema: LabelSchema | None, user: User, role: str, ids: list[int]) -> list[dict[str, Any]]:
    """These of the space, in the order of `ids`; those that are not there are left out."""
    parameters: dict[str, Any] = {"space": space.pk, "ids": ids}
    fields, joins = "NULL, NULL, false, false", ""
    if schema is not None:
        known: Said = said(schema, user, role)
        parameters |= {**known.parameters, "schema": schema.pk}
        fields, joins = "q.id, said.label, said.id IS NOT NULL, coalesce(said.mine, false)", MAYBE + known.join
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT v.id, v.digest, v.key, v.shown::text, v.cluster, NULL::float8, {fields} FROM similarity_vector v{joins}"  # noqa: S608 - our own words
            " WHERE v.space_id = %(space)s AND v.present AND v.id = ANY (%(ids)s) ORDER BY array_position(%(ids)s::bigint[], v.id)",
            parameters,
        )
        return [item_out(row) for row in cursor.fetchall()]


def clusters(space: Space, schema: LabelSchema | None, user: User, role: str) -> list[dict[str, Any]]:
    """Largest first, each with its typical items."""
    refuse_empty(space)
    typical = {one["id"]: one for one in items(space, schema, user, role, [id_ for c in space.clusters for id_ in c["typical"]])}
    return [
        {"number": c["number"], "size": c["size"], "typical": [typical[i] for i in c["typical"] if i in typical]} for c in space.clusters
    ]


def members(space: Space, cluster: int) -> list[int]:
    """Ids of a cluster's vectors, the typical ones first."""
    first: list[int] = next((c["typical"] for c in space.clusters if c["number"] == cluster), [])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM similarity_vector WHERE space_id = %s AND present AND cluster = %s"
            " ORDER BY array_position(%s::bigint[], id), place",
            [space.pk, cluster, first],
        )
        return [row[0] for row in cursor.fetchall()]
