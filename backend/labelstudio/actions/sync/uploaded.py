"""What comes into a data set that was uploaded: gathered, and kept as one version with its pairs, in one transaction.

So a synchronisation that is killed has made all of it or nothing, and the next one finds the tasks by their pairs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max

from backend.artifacts.storage import store
from backend.core.errors import Conflict, HeadraceError
from backend.datasets.actions.relabelling import items_beside
from backend.datasets.models import Item
from backend.labeling.actions.fill import fill_with
from backend.labeling.models import QueueItem
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from backend.labelstudio.actions.files import Kept, folder, keep
from backend.labelstudio.actions.rows import Coming, Misfit, Table, write
from backend.labelstudio.actions.rows import keep as keep_rows
from backend.labelstudio.actions.sync import record
from backend.labelstudio.actions.sync.sides import digest_of, ours_of, theirs_of
from backend.labelstudio.models import LinkedTask

if TYPE_CHECKING:
    from backend.labelstudio.actions.sync.run import Run

Json = dict[str, Any]
TRIES = 3
NOTE = "Synchronised with Label Studio"


class Uploaded:
    """`changes` are rows and texts that changed there, each (its task, what it says there)."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.changes: list[tuple[LinkedTask, Json]] = []
        self._table: Table | None = None

    def table(self) -> Table:
        """Raises HeadraceError where the data set is in no state to take something."""
        if self._table is None:
            made = Table(schema=self.run.schema)
            newest = self.run.schema.dataset.versions.aggregate(n=Max("number"))["n"]
            if newest != made.base.number:
                raise Conflict(message=f"Version {newest} of the data set is a draft.", hint="Freeze or delete it, then synchronise again.")
            if made.keyed:
                raise Conflict(message="The rows of this data set are made by another label schema.", hint="Add tasks there.")
            if self.run.schema.filled != newest:
                with transaction.atomic():
                    fill_with(self.run.schema, made.base)
                self.run.schema.filled = newest
            self._table = made
        return self._table

    def change(self, row: LinkedTask, theirs: Json) -> bool:
        """Take a change there along; False where nothing changes here. Raises Misfit or HeadraceError."""
        if row.item.media_type == "application/json":
            if not self.table().changed(row.item, theirs).cells:
                return False
        else:
            self._text(row, theirs)
        self.changes.append((row, theirs))
        return True

    def _text(self, row: LinkedTask, theirs: Json) -> Kept:
        field = wording(newest_version(self.run.schema)).objects[0].value
        if not isinstance(theirs.get(field), str):
            raise Misfit(f"“{field}” is no text.")
        try:
            with folder() as work:
                (work / "file").write_text(theirs[field], encoding="utf-8")
                return keep(work / "file", "", "text", work)
        except ValueError as e:
            raise Misfit(str(e)) from e

    def texts(self) -> None:
        """The texts that changed, as the next version."""
        kept = [(row, theirs, self._text(row, theirs)) for row, theirs in self.changes]
        if not kept:
            return
        schema = self.run.schema
        known = {i.key: i for i in Item.objects.filter(dataset=schema.dataset_id, removed_in=None, key__in=[r.item.key for r, *_ in kept])}
        with folder() as work:
            with (work / "items.jsonl").open("w", encoding="utf-8") as out:
                for row, _, file in kept:
                    was = known.get(row.item.key)
                    about = [was.label, was.split, was.data] if was is not None else [None, None, {}]
                    line = [row.item.key, file.digest, row.item.media_type, store().size(file.digest), None, None, *about]
                    out.write(json.dumps(line) + "\n")
            with transaction.atomic():
                for row, _, file in kept:
                    twin = QueueItem.objects.filter(schema=schema, key=row.item.key, digest=file.digest).exclude(pk=row.item_id)
                    twin.update(digest=digest_of([file.digest, row.item_id]))  # what was there before this text once, and was taken out
                    QueueItem.objects.filter(pk=row.item_id).update(digest=file.digest)
                fill_with(schema, items_beside(schema.dataset, self.run.user, work / "items.jsonl", work, NOTE))
                self._remember([(row, theirs) for row, theirs, _ in kept])
        self.run.counts["changed_here"] += len(kept)

    def rows(self, new: list[Json]) -> None:
        """The rows that changed there, and the tasks that only they have and that fit the table, as the next version."""
        if not new and not self.changes:
            return
        for tries in range(TRIES):
            try:
                self._rows(new, first=tries == 0)
                return
            except Conflict as e:  # somebody made a version meanwhile
                if tries == TRIES - 1 or self._table is None:
                    self.run.left_out(f"{len(new) + len(self.changes):,} tasks there", f"{e} {e.hint}".strip())
                    return
                self._table = None
            except HeadraceError as e:
                self.run.left_out(f"{len(new) + len(self.changes):,} tasks there", f"{e} {e.hint}".strip())
                return

    def _rows(self, new: list[Json], *, first: bool) -> None:
        run, table = self.run, self.table()
        coming: list[Coming] = []
        of: dict[int, tuple[LinkedTask | None, Json]] = {}
        for row, theirs in self.changes:
            one = table.changed(row.item, theirs)
            coming.append(one)
            of[id(one)] = (row, theirs)
        for n, task in enumerate(new):
            run.beat("bringing tasks", n, len(new))
            try:
                one = table.new(task["data"])
            except Misfit as e:
                if first:
                    run.left_out(f"task {task['id']} there", str(e))
                continue
            coming.append(one)
            of[id(one)] = (None, task)
        if not coming:
            return
        with folder() as work:
            kept, stored, count = write(table, coming, work)
            with transaction.atomic():
                made = keep_rows(table, kept, stored, count, run.user, NOTE)
                pairs = [(made[one.key], of[id(one)][1]) for one in kept if one.item is None]
                changed = [(row, theirs) for row, theirs in (of[id(one)] for one in kept) if row is not None]
                self._link(pairs)
                self._remember(changed)
        run.counts["brought"] += len(pairs)
        run.counts["changed_here"] += len(changed)

    def _link(self, pairs: list[tuple[QueueItem, Json]]) -> None:
        config = wording(newest_version(self.run.schema))
        LinkedTask.objects.bulk_create(
            [
                LinkedTask(
                    link=self.run.link, item=item, remote=int(task["id"]), our_data=digest_of(ours_of(item, config)),
                    their_data=digest_of(theirs_of(task["data"], config)),
                )
                for item, task in pairs
            ]
        )  # fmt: skip

    def _remember(self, changed: list[tuple[LinkedTask, Json]]) -> None:
        config = wording(newest_version(self.run.schema))
        items = {i.pk: i for i in QueueItem.objects.filter(pk__in=[row.item_id for row, _ in changed])}
        for row, theirs in changed:
            row.our_data, row.their_data = digest_of(ours_of(items[row.item_id], config)), digest_of(theirs)
            row.save(update_fields=["our_data", "their_data"])
            record.settled(row)
