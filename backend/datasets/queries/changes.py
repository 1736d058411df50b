"""What is different between two versions of a data set: item by item with what was said of each, or row by row.

An item that stays the same stays the same row (`actions.items.change_items`), so the difference of two versions of a million images is
read without looking at those that both have. Rows of a table are compared by their place.
"""

from __future__ import annotations

import json
from typing import Any

from backend.artifacts import aside
from backend.artifacts.pyramids import screen_url
from backend.core.errors import InvalidInput, NotFound
from backend.core.queries.rows import one
from backend.datasets.models import Dataset, DatasetVersion, Item
from backend.datasets.queries import views
from backend.datasets.queries.datasets import find_dataset, find_version
from workers.sdk.labels.difference import Change, difference, labels_of
from workers.sdk.labels.shapes import outline
from workers.sdk.labels.timed import words

MOST = 200
REGIONS = 300
"""Regions of an item that are told one by one."""
KINDS = ("added", "removed", "content", "label", "split", "annotations", "data")
_SIDE = "id, key, digest, media_type, size, width, height, label, split, data"
_LEFT = f"""SELECT {_SIDE} FROM datasets_item WHERE dataset_id = %(dataset)s AND removed_in > %(low)s AND removed_in <= %(high)s
  AND added_in <= %(low)s"""  # noqa: S608 - names of ours
_CAME = f"""SELECT {_SIDE} FROM datasets_item WHERE dataset_id = %(dataset)s AND added_in > %(low)s AND added_in <= %(high)s
  AND (removed_in IS NULL OR removed_in > %(high)s)"""  # noqa: S608 - names of ours
"""What only the lower of the two versions has, and only the higher."""
_BOTH = """
WITH old AS MATERIALIZED ({old}), new AS MATERIALIZED ({new}), changed AS (
  SELECT coalesce(new.key, old.key) AS key, old.id AS old_id, new.id AS new_id, array_remove(ARRAY[
    CASE WHEN old.id IS NULL THEN 'added' END, CASE WHEN new.id IS NULL THEN 'removed' END,
    CASE WHEN old.digest <> new.digest THEN 'content' END,
    CASE WHEN old.id IS NOT NULL AND new.id IS NOT NULL AND old.label IS DISTINCT FROM new.label THEN 'label' END,
    CASE WHEN old.id IS NOT NULL AND new.id IS NOT NULL AND old.split IS DISTINCT FROM new.split THEN 'split' END,
    CASE WHEN old.id IS NOT NULL AND new.id IS NOT NULL
      AND old.data #> '{{annotations,result}}' IS DISTINCT FROM new.data #> '{{annotations,result}}' THEN 'annotations' END,
    CASE WHEN old.data - 'annotations' <> new.data - 'annotations' THEN 'data' END], NULL) AS kinds
  FROM old FULL JOIN new ON new.key = old.key
)"""


def changes(
    dataset: Dataset, since: DatasetVersion, version: DatasetVersion, kind: str | None, search: str | None, offset: int, limit: int
) -> dict[str, Any]:
    """As `ChangesOut`, from `since` to `version`."""
    if since.pk == version.pk:
        raise InvalidInput(message="These are the same version.", field="since", hint="Choose two versions.")
    offset, limit = max(offset, 0), max(1, min(limit, MOST))
    of = {"since": since.number, "number": version.number, "modality": dataset.modality, "offset": offset}
    if dataset.modality == "table":
        if kind is not None or search:
            raise InvalidInput(
                message="Rows of a table are not narrowed: `kind` and `search` are of images and texts.", field="kind" if kind else "search"
            )
        found = aside.ask(
            "make", "backend.datasets.showing.changes:rows", before=views.shown(since).as_json(), after=views.shown(version).as_json(),
            offset=offset, limit=limit,
        )  # fmt: skip
        return {**of, **found, "kinds": {}, "items": []}
    given = {"dataset": dataset.pk, "low": min(since.number, version.number), "high": max(since.number, version.number)}
    narrowed = {"kind": kind, "search": (search or "").strip().lower()}
    upwards = since.number < version.number
    both = _BOTH.format(old=_LEFT if upwards else _CAME, new=_CAME if upwards else _LEFT)
    # An item of which only who labelled it or when is different has no kind, and is not told as changed.
    sql = f"""{both}, told AS (SELECT * FROM changed WHERE kinds <> '{{}}'),
      fitting AS (SELECT * FROM told WHERE (%(kind)s::text IS NULL OR %(kind)s = ANY (kinds))
        AND (%(search)s = '' OR position(%(search)s IN lower(key)) > 0)),
      page AS (SELECT * FROM fitting ORDER BY key LIMIT %(limit)s OFFSET %(offset)s),
      counted AS (SELECT kind, count(*) AS n FROM told, unnest(kinds || ARRAY['any']) AS kind GROUP BY kind)
    SELECT (SELECT jsonb_object_agg(kind, n) FROM counted), (SELECT count(*) FROM fitting),
      (SELECT jsonb_agg(to_jsonb(page) ORDER BY key) FROM page)"""  # noqa: S608 - text of ours
    row = one(sql, {**given, **narrowed, "limit": limit, "offset": offset})
    assert row is not None
    counts, rows = (json.loads(cell) if isinstance(cell, str) else cell for cell in (row[0] or "{}", row[2] or "[]"))
    items = Item.objects.in_bulk([i for row in rows for i in (row["old_id"], row["new_id"]) if i])
    added, removed, either = (counts.get(k, 0) for k in ("added", "removed", "any"))
    return {
        **of,
        "added": added, "removed": removed, "changed": either - added - removed, "unchanged": version.item_count - (either - removed),
        "kinds": {k: counts.get(k, 0) for k in KINDS},
        "columns": [], "rows": [],
        "items": [_item(dataset, row, items.get(row["old_id"]), items.get(row["new_id"])) for row in rows],
        "total": row[1],
    }  # fmt: skip


def _item(dataset: Dataset, row: dict[str, Any], old: Item | None, new: Item | None) -> dict[str, Any]:
    regions = difference(_result(old), _result(new))
    return {
        "key": row["key"], "kinds": row["kinds"], "before": _side(dataset, old), "after": _side(dataset, new),
        "regions": [_region(change) for change in regions[:REGIONS]], "more_regions": max(0, len(regions) - REGIONS),
    }  # fmt: skip


def _result(item: Item | None) -> list[dict[str, Any]]:
    return (item.data.get("annotations") or {}).get("result") or [] if item is not None else []


def _side(dataset: Dataset, item: Item | None) -> dict[str, Any] | None:
    if item is None:
        return None
    said = item.data.get("annotations") or {}
    url = f"/api/v1/projects/{dataset.project.slug}/datasets/{dataset.slug}/items/{item.pk}/file"
    return {
        **{name: getattr(item, name) for name in ("label", "split", "width", "height", "size", "media_type")},
        "url": url, "screen_url": screen_url(url, item.media_type, item.width, item.height), "thumbnail_url": f"{url}?thumbnail=true",
        "wording": f"{said['label_schema']}@{said['version']}" if said.get("label_schema") else None,
        "labelled_by": said.get("by") or None, "labelled_at": said.get("at"), "how": said.get("how"),
    }  # fmt: skip


def _region(change: Change) -> dict[str, Any]:
    return {
        "what": change.what, "control": change.control, "overlap": change.overlap,
        "before": _said(change.before), "after": _said(change.after),
    }  # fmt: skip


def _said(region: dict[str, Any] | None) -> dict[str, Any] | None:
    """What one side says: its labels or answer as text, and where: corners in percent of the picture, or one point."""
    if region is None:
        return None
    if region.get("type") == "relation":
        return {"labels": region.get("labels") or ["relation"], "text": f"{region['from_id']} → {region['to_id']}", "outline": []}
    value = region["value"]
    text = value.get("text") or words(value)
    corners = outline(region) if "rle" not in value else None
    if "vertices" in value:  # there and back: an outline without an inside
        line = tuple((v["x"], v["y"]) for v in value["vertices"])
        corners = line if value.get("closed") else line + line[-2::-1]
    if corners is None and "x" in value and "y" in value:
        corners = ((value["x"], value["y"]),)
    return {
        "labels": labels_of(region), "text": "\n".join(text) if isinstance(text, list) else str(text or ""), "outline": list(corners or ()),
    }  # fmt: skip


def find(project: Any, slug: str, since: int, number: int) -> tuple[Dataset, DatasetVersion, DatasetVersion]:
    """The data set and the two versions; NotFound."""
    return find_dataset(project, slug, deleted=True), find_version(project, slug, since), find_version(project, slug, number)


def file_of(project: Any, slug: str, item: int) -> tuple[str, str, str]:
    """(file name, digest, media type) of an item of any version; NotFound."""
    found = Item.objects.filter(pk=item, dataset=find_dataset(project, slug, deleted=True)).first() if item < 2**63 else None
    if found is None:
        raise NotFound(what="item", name=str(item))
    return found.key.rsplit("/", 1)[-1], found.digest, found.media_type
