"""Rows that come into a table that was uploaded: they fit its columns or are told why not, and make one version together.

A row of such a table is known by its values and its place among equal rows (`labeling.actions.fill`). A row that changes keeps its item,
with all that was said of it: the item is told the new values in the transaction that makes the version.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat

from backend.artifacts import tables
from backend.artifacts.storage import store
from backend.core.models import User
from backend.datasets.actions.relabelling import table_version
from backend.datasets.models import DatasetVersion
from backend.datasets.reading.cast import WHAT, cast
from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.parquet import Writer
from backend.labeling.actions.fill import fill_with, shown_columns
from backend.labeling.actions.schemas import newest_frozen
from backend.labeling.models import LabelSchema, QueueItem
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from backend.labeling.rows import WHOLE, row_digest
from workers.sdk.store import Stored

Json = dict[str, Any]
Key = tuple[str, str]
"""How the queue knows a row: its place among equal ones, the digest of its values."""


class Misfit(ValueError):
    """A row that the table cannot hold; the argument says which column, and what would be right."""


@dataclass(kw_only=True, slots=True)
class Coming:
    """A row on its way: `cells` by column, `item` whose values change (None: it is new). `key` is known once the file is written."""

    cells: Json
    item: QueueItem | None = None
    key: Key = ("", "")


@dataclass(kw_only=True)
class Table:
    """The newest frozen version of a table, and what the label schema shows of it. Raises NoFrozenVersion."""

    schema: LabelSchema
    base: DatasetVersion = field(init=False)
    columns: dict[str, Json] = field(init=False)
    shown: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.base = newest_frozen(self.schema.dataset)
        self.columns = {c["name"]: c for c in self.base.columns}
        self.shown = shown_columns(wording(newest_version(self.schema)), list(self.columns))

    @property
    def keyed(self) -> bool:
        """Its rows are known by a number that its own project gives them; nobody else makes rows of it."""
        return tables.key_column(self.base.data) is not None

    def new(self, data: Json) -> Coming:
        """A row of a task's data: columns that it lacks are empty. Raises Misfit."""
        cells = {name: self._cell(name, value) for name, value in self._known(data).items()}
        if not any(cells.get(name) is not None for name in self.shown):
            raise Misfit(f"It says nothing in {_listed(self.shown)}, which is what is labelled.")
        return Coming(cells={name: cells.get(name) for name in self.columns})

    def changed(self, item: QueueItem, data: Json) -> Coming:
        """The row of an item with what a task says; columns that the task lacks stay as they are. Raises Misfit."""
        cells = {}
        for name, value in self._known(data).items():
            was = item.data.get(name)
            if value == was:
                continue
            if isinstance(was, str) and was.endswith("…") and len(was) - 1 in (tables.CELL, WHOLE):
                raise Misfit(f"“{name}” is longer here than what is labelled of it; change it in the data set.")
            cells[name] = self._cell(name, value)
        return Coming(cells=cells, item=item)

    def _known(self, data: Json) -> Json:
        if strange := [name for name in data if name not in self.columns]:
            raise Misfit(f"The table has no column {_listed(strange)}; it has {_listed(list(self.columns))}.")
        return data

    def _cell(self, name: str, value: Any) -> Any:
        """As the column's type keeps it; raises Misfit."""
        kind = self.columns[name]["type"]
        told = json.dumps(value, ensure_ascii=False)
        if len(told) > LIMITS.cell_bytes:
            raise Misfit(f"“{name}” has more than {LIMITS.cell_bytes:,} characters.")
        if value is None:
            return None
        if kind == "json":
            return value if isinstance(value, str) and not _misfits(value, kind) else told
        plain = isinstance(value, str) or (
            isinstance(value, bool) if kind == "boolean" else kind in ("integer", "number") and not isinstance(value, bool | list | dict)
        )
        if not plain or _misfits(text := value if isinstance(value, str) else told, kind):
            wanted = WHAT.get(kind, "a text")
            raise Misfit(f"“{name}” is {told[:60]}{'…' if len(told) > 60 else ''}, and the column holds {wanted}.")
        return cast(_texts([text]), kind, ("",))[0][0].as_py()


def _texts(values: list[str]) -> Any:
    import pyarrow as pa

    return pa.array(values, pa.string())


def _misfits(text: str, kind: str) -> bool:
    import pyarrow as pa

    try:
        return cast(_texts([text]), kind, ("",))[1] is not None
    except pa.ArrowInvalid:  # a whole number beyond 64 bits
        return True


def _listed(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(f"“{name[:60]}”" for name in names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def write(table: Table, asked: Sequence[Coming], work: Path) -> tuple[list[Coming], Stored, int]:
    """The next version's file, in the store: changed rows in their places, new ones at the end. A row that becomes like another goes to the
    end, so that no other row is taken for it. Returns what the file holds of `asked`, with `key` set (a row that is no longer in the data
    set cannot change), the file and the number of its rows."""
    import pyarrow as pa

    digest, types = table.base.data, tables.schema(table.base.data)
    places = _places(digest, {one.item.digest for one in asked if one.item is not None})
    leaving: dict[int, Coming] = {}
    coming: list[Coming] = []
    for one in asked:
        if one.item is not None:
            if not (found := places.get(one.item.digest)):
                continue
            leaving[found.pop()] = one  # the last of equal rows: they are the same, and the others keep their places
        coming.append(one)
    for one, row in _rows_at(digest, leaving):
        one.cells = row | one.cells
    digests = [_digest(types, one.cells) for one in coming]
    counts = _count(digest, set(digests), set(leaving))
    stays: dict[int, Coming] = {}
    end: list[Coming] = []
    at = {id(one): n for n, one in leaving.items()}
    for one, told in sorted(zip(coming, digests, strict=True), key=lambda pair: pair[0].item is None):
        if one.item is not None and not counts[told]:
            stays[at[id(one)]] = one
        else:
            end.append(one)
        counts[told] += 1
        one.key = (str(counts[told]), told)
    columns = [_column(c, coming) for c in table.base.columns]
    path, number = work / "rows.parquet", 0
    with Writer(path, types.remove_metadata(), columns=columns, label_column=table.base.label_column) as writer:
        for batch in tables.batches(digest):
            group = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
            begin = 0
            for n in sorted(n - number for n in leaving if number <= n < number + group.num_rows):
                writer.write(group.slice(begin, n - begin))
                if number + n in stays:
                    writer.write(_arrow(types, [stays[number + n].cells]))
                begin = n + 1
            writer.write(group.slice(begin))
            number += group.num_rows
        if end:
            writer.write(_arrow(types, [one.cells for one in end]))
    return coming, store().put_file(path, consume=True), writer.rows


def _column(column: Json, coming: Sequence[Coming]) -> Json:
    missing = any(one.cells.get(column["name"]) is None for one in coming)
    return {**column, "nullable": True} if missing else column


def _arrow(types: Any, rows: Sequence[Json]) -> Any:
    import pyarrow as pa

    return pa.table([pa.array([row.get(f.name) for row in rows], f.type) for f in types], schema=types.remove_metadata())


def _digest(types: Any, cells: Json) -> str:
    return row_digest(tables.json_rows(_arrow(types, [cells]))[0])


def _places(digest: str, wanted: set[str]) -> dict[str, list[int]]:
    """{digest of a row: where such rows are}, of those that are wanted."""
    found: dict[str, list[int]] = defaultdict(list)
    number = 0
    for batch in tables.batches(digest) if wanted else ():
        for cells in tables.json_rows(batch):
            if (known := row_digest(cells)) in wanted:
                found[known].append(number)
            number += 1
    return found


def _count(digest: str, wanted: set[str], without: set[int]) -> Counter[str]:
    return Counter({told: sum(n not in without for n in places) for told, places in _places(digest, wanted).items()})


def _rows_at(digest: str, leaving: dict[int, Coming]) -> list[tuple[Coming, Json]]:
    """The rows that change, as their columns keep them."""
    numbers = sorted(leaving)
    return list(zip([leaving[n] for n in numbers], tables.take(digest, numbers).to_pylist(), strict=True))


def keep(table: Table, coming: Sequence[Coming], stored: Stored, rows: int, user: User, note: str) -> dict[Key, QueueItem]:
    """The version that `write` wrote, with the queue at it; in the caller's transaction. Returns the items of the new rows. Raises Conflict
    where the data set has another version by now."""
    changes = [one for one in coming if one.item is not None]
    columns = [_column(c, coming) for c in table.base.columns]
    version = table_version(table.base, user, stored, rows, columns, table.base.label_column, note)
    mine = QueueItem.objects.filter(schema=table.schema)
    moving = {one.item.pk for one in changes if one.item is not None}
    mine.filter(pk__in=moving).update(key=Concat(F("key"), Value(" moving")))
    for told in {one.item.digest for one in changes if one.item is not None}:  # what was equal to them closes ranks
        others = list(mine.filter(digest=told, removed=False).exclude(pk__in=moving))
        for n, other in enumerate(sorted(others, key=lambda i: int(i.key)), 1):
            if other.key != str(n):
                _call(mine, other.pk, str(n), told)
    for one in changes:
        assert one.item is not None
        _call(mine, one.item.pk, *one.key)
    fill_with(table.schema, version)
    new = [one.key for one in coming if one.item is None]
    found = mine.filter(digest__in={told for _, told in new}, removed=False)
    return {(item.key, item.digest): item for item in found if (item.key, item.digest) in set(new)}


def _call(mine: QuerySet[QueueItem], pk: int, key: str, digest: str) -> None:
    """An item is known by these from now on; what was taken out of the data set long ago and looked the same makes room."""
    mine.filter(key=key, digest=digest, removed=True).exclude(pk=pk).update(key=Concat(F("key"), Value(f" before {pk}")))
    mine.filter(pk=pk).update(key=key, digest=digest)
