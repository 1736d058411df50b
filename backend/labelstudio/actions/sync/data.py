"""Data of tasks that both sides have: a side that changed it is followed; where both did, or marks in a text would be wrong, a person
chooses.

Of an upload, rows and texts are known by what they are: another version of the data set has other items for what it changed, which are
other tasks there. So only a change there is followed, and makes a version here (`uploaded`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q

from backend.core.errors import HeadraceError
from backend.labeling.models import Annotation
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from backend.labelstudio.actions.rows import Misfit
from backend.labelstudio.actions.sync import marks, record
from backend.labelstudio.actions.sync.sides import address_digest, digest_of, file_field, ours_of, same, side_by_side, theirs_of
from backend.labelstudio.actions.sync.there import SKEW, NotTaken
from backend.labelstudio.actions.tasks import change_task
from backend.labelstudio.models import Conflict, LinkedTask
from backend.labelstudio.queries.subjects import counterpart_of
from workers.sdk.labels.config import LabelConfig

if TYPE_CHECKING:
    from backend.labelstudio.actions.sync.run import Run

Json = dict[str, Any]
BATCH = 500
WHY = {
    "both": "Both sides changed what the task says.",
    "unknown": "The sides say different things, and it is not known who changed it.",
    "file": "It shows another file there; here an item stays what it is.",
    "marks": "Its text was changed {where}, and {marks} in it would no longer say what they said.",
}


def keep_the_same(run: Run) -> None:
    rows = list(_to_look_at(run))
    open_ones = {c.task_id: c for c in Conflict.objects.filter(task__in=[row.pk for row in rows], kind__in=record.DATA)}
    unread = [row.remote for row in rows if row.pk in open_ones and row.remote not in run.changed]
    told = {**run.changed, **run.read(unread)}
    kind = _Kind(config=wording(newest_version(run.schema)), owned=counterpart_of(run.schema).owned)
    remembered: list[LinkedTask] = []
    for n, row in enumerate(rows):
        run.beat("what tasks say", n, len(rows))
        if _One(run, kind, row, told.get(row.remote), open_ones.get(row.pk)).keep_the_same():
            remembered.append(row)
    LinkedTask.objects.bulk_update(remembered, ["our_data", "their_data", "their_file"], batch_size=BATCH)
    run.uploaded.texts() if run.schema.dataset.modality == "text" else None


def _to_look_at(run: Run) -> Any:
    rows = LinkedTask.objects.filter(link=run.link, apart=False, item__removed=False)
    if run.link.told_until is not None:
        chosen = Conflict.objects.filter(task=OuterRef("pk"), kind__in=record.DATA).exclude(chosen="")
        touched = Q(item__touch__at__gte=run.link.told_until - SKEW)
        rows = rows.filter(Q(remote__in=list(run.changed)) | touched | Exists(chosen))
    return rows.select_related("item__schema__project", "item__schema__dataset").order_by("pk")


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """`owned`: the data set is the project's own, and its rows keep a number when they change."""

    config: LabelConfig
    owned: bool


class _One:
    """One task. `task` is what the other side tells of it, None where it did not change there."""

    def __init__(self, run: Run, kind: _Kind, row: LinkedTask, task: Json | None, conflict: Conflict | None) -> None:
        self.run, self.kind, self.row, self.task, self.conflict = run, kind, row, task, conflict
        self.item = row.item
        self.ours = ours_of(self.item, kind.config)
        self.theirs = theirs_of(task["data"], kind.config) if task is not None else None
        self.address = address_digest(task["data"], kind.config) if task is not None else ""
        self.ask_again = False

    def keep_the_same(self) -> bool:
        """Whether the row's digests are others now."""
        row, ours, theirs = self.row, digest_of(self.ours), self.theirs
        row.our_data = row.our_data or ours
        if theirs is None:
            return self._tell() if ours != row.our_data and self._ours_may_change() else True
        moved = bool(row.their_file) and row.their_file != self.address
        they = not row.their_data or digest_of(theirs) != row.their_data
        we = ours != row.our_data and self._ours_may_change()
        if self._chosen():
            return self._decided(self.conflict.chosen if self.conflict else "", moved)
        if moved:
            return self._ask("file", WHY["file"])
        if same(self.item, self.kind.owned, self.ours, theirs) and (they or we or not row.their_file or self.conflict):
            return self._same()
        if not row.their_data:
            return self._ask("data", WHY["unknown"])
        if they and we:
            return self._ask("data", WHY["both"])
        if self.conflict is not None and not they and not we:
            return False  # it waits for a person
        if they:
            return self._take()
        return self._tell() if we else False

    def _ours_may_change(self) -> bool:
        return self.kind.owned or file_field(self.kind.config) is not None

    def _chosen(self) -> bool:
        """Whether a person chose between what both sides still say."""
        found = self.conflict
        if found is None or not found.chosen:
            return False
        return [(found.ours or {}).get("digest"), (found.theirs or {}).get("digest")] == self._digests()

    def _digests(self) -> list[str]:
        return [digest_of(self.ours), digest_of([self.theirs, self.address])]

    def _decided(self, side: str, moved: bool) -> bool:
        if moved and side == "theirs":
            return self._same()  # each keeps its file
        if moved:
            return self._send_file()
        return self._take(asked=True) if side == "theirs" else self._tell(asked=True)

    def _same(self) -> bool:
        row = self.row
        row.our_data, row.their_file = digest_of(self.ours), self.address or row.their_file
        if self.theirs is not None:
            row.their_data = digest_of(self.theirs)
        if self.conflict is not None:
            record.settled(row)
        return True

    def _ask(self, kind: str, why: str) -> bool:
        ours, theirs = side_by_side(self.ours, self.theirs or {})
        mine, yours = self._digests()
        record.data_conflict(self.row, kind, why, {"data": ours, "digest": mine}, {"data": theirs, "digest": yours})
        return False

    def _take(self, *, asked: bool = False) -> bool:
        """What they say comes here."""
        run, theirs = self.run, self.theirs or {}
        wrong = self._wrong_marks(self.ours, theirs)
        if wrong and not asked:
            return self._ask("data", WHY["marks"].format(where="there", marks=_marks(wrong)))
        uploaded = not self.kind.owned and file_field(self.kind.config) is None
        try:
            if uploaded:
                if not run.uploaded.change(self.row, theirs):
                    return self._same()
            else:
                change_task(run.user, self.item, {"data": theirs})
                run.counts["changed_here"] += 1
        except (Misfit, HeadraceError) as e:
            return self._ask("data", f"It was changed there, and does not fit here: {_sentence(e)}")
        self._say_marks(wrong)
        if uploaded:
            return False  # remembered with the version
        self.ours = ours_of(self.item, self.kind.config)
        return self._same()

    def _tell(self, *, asked: bool = False) -> bool:
        """What we say goes there."""
        wrong = self._wrong_marks(self.theirs, self.ours)
        if self.theirs is None and (wrong or file_field(self.kind.config) is not None):
            self._look()
        if wrong and not asked:
            return self._ask("data", WHY["marks"].format(where="here", marks=_marks(wrong)))
        shows = file_field(self.kind.config)
        beside = {shows: self.task["data"].get(shows)} if shows is not None and self.task is not None else {}
        told = self.ours if shows is None else dict(self.item.data)
        return self._send({**(self.theirs or {}), **told} if self._partly() else told, beside, wrong)

    def _partly(self) -> bool:
        """Whether we know only a part of what the task says there."""
        return not self.kind.owned and file_field(self.kind.config) is None

    def _send_file(self) -> bool:
        shows = file_field(self.kind.config) or ""
        name = self.item.key.rsplit("/", 1)[-1]
        try:
            (address,) = self.run.there.upload(self.run.project, [(name, self.item.digest, self.item.media_type)])
        except NotTaken as e:
            return self._ask("file", f"Its file is not taken there: {e}")
        self.address = ""
        return self._send(dict(self.item.data), {shows: address}, 0)

    def _send(self, data: Json, beside: Json, wrong: int) -> bool:
        try:
            made = self.run.there.change_task(self.row.remote, {**data, **beside})
        except NotTaken as e:
            if self.theirs is None:
                self._look()
            return self._ask("data", f"It was changed here, and is not taken there: {e}")
        self.run.counts["changed_there"] += 1
        self._say_marks(wrong)
        self.theirs, self.address = theirs_of(made, self.kind.config), address_digest(made, self.kind.config)
        return self._same()

    def _look(self) -> None:
        self.task = self.run.read([self.row.remote]).get(self.row.remote)
        if self.task is not None:
            self.theirs, self.address = theirs_of(self.task["data"], self.kind.config), address_digest(self.task["data"], self.kind.config)

    def _wrong_marks(self, old: Json | None, new: Json) -> int:
        mine = Annotation.objects.filter(item=self.item, how="").values_list("result", flat=True)
        theirs = [a.get("result") for a in (self.task or {}).get("annotations") or [] if isinstance(a, dict)]
        return marks.broken(self.kind.config, [*mine, *theirs], old, new)

    def _say_marks(self, wrong: int) -> None:
        if wrong:
            self.run.problem(f"task {self.row.item_id}", f"{_marks(wrong)} in its text no longer say what they said; look at its answers.")


def _marks(number: int) -> str:
    return "one mark" if number == 1 else f"{number:,} marks"


def _sentence(error: Exception) -> str:
    problems = getattr(error, "problems", None)
    if problems:
        return f"{problems[0].get('message', '')} {problems[0].get('expected') or ''}".strip()
    return f"{error} {getattr(error, 'hint', '')}".strip()
