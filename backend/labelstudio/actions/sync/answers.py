"""Annotations of tasks that both sides have, pair by pair."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from backend.core.errors import HeadraceError
from backend.core.models import Membership, User
from backend.core.permissions import may
from backend.labeling.actions import outsiders
from backend.labeling.actions.withdraw import withdraw
from backend.labeling.errors import ItemFull
from backend.labeling.models import Annotation, QueueItem
from backend.labelstudio.actions.incoming import with_ids
from backend.labelstudio.actions.sync import record
from backend.labelstudio.actions.sync.said import Said, digest_of, ours_of, theirs_of
from backend.labelstudio.actions.sync.there import NotTaken
from backend.labelstudio.actions.tasks import annotate, change_annotation
from backend.labelstudio.models import LinkedAnnotation, LinkedTask

if TYPE_CHECKING:
    from backend.labelstudio.actions.sync.run import Run

BATCH = 500


def keep_the_same(run: Run, rows: list[LinkedTask]) -> None:
    for n in range(0, len(rows), BATCH):
        part = rows[n : n + BATCH]
        ours = ours_of(row.item_id for row in part)
        for place, row in enumerate(part):
            run.beat("answers", n + place, len(rows))
            _Task(run, row, ours.get(row.item_id, {})).keep_the_same()


class _Task:
    """One task on both sides. What did not change there since the last time is known by its digest only."""

    def __init__(self, run: Run, row: LinkedTask, ours: dict[UUID, Said]) -> None:
        self.run, self.row, self.ours = run, row, ours
        self.pairs = list(LinkedAnnotation.objects.filter(task=row).order_by("pk"))
        if (task := run.changed.get(row.remote)) is not None:
            self.theirs = theirs_of(task, run.people_there)
        else:
            same = [p for p in self.pairs if p.theirs is not None]
            self.theirs = {int(p.theirs or 0): Said(id=p.theirs, result=None, digest=p.their_digest) for p in same}

    def keep_the_same(self) -> None:
        for pair in self.pairs:
            self._pair(pair, self.ours.pop(pair.ours, None), self.theirs.pop(pair.theirs, None))
        self._match()
        for theirs in list(self.theirs.values()):
            self._come(theirs)
        for ours in self.ours.values():
            if not ours.rejected:
                self._go(ours)

    def _pair(self, pair: LinkedAnnotation, ours: Said | None, theirs: Said | None) -> None:
        we = (ours.digest if ours else "") != pair.our_digest
        they = (theirs.digest if theirs else "") != pair.their_digest
        chosen = record.chosen_of(self.row, pair)
        if ours is None and theirs is None:
            pair.delete()
        elif ours is not None and theirs is not None and ours.digest == theirs.digest:
            self._same(pair, ours.digest, theirs.digest)
        elif chosen:
            self._decided(pair, ours, theirs, chosen)
        elif we and they:
            kind = "here" if ours is None else "there" if theirs is None else "both"
            self._ask(pair, kind, WHY[kind], ours, theirs)
        elif we:
            self._tell(pair, ours, theirs)
        elif they:
            self._take(pair, ours, theirs)

    def _decided(self, pair: LinkedAnnotation, ours: Said | None, theirs: Said | None, chosen: str) -> None:
        """As a person chose. Where one side never had it, and that side is chosen, both keep what they have from now on."""
        if (chosen == "theirs" and pair.theirs is None) or (chosen == "ours" and pair.ours is None):
            self._same(pair, ours.digest if ours else "", theirs.digest if theirs else "")
        elif chosen == "theirs":
            self._take(pair, ours, theirs, force=True)
        else:
            self._tell(pair, ours, theirs)

    def _match(self) -> None:
        """What both sides say already: of the same person, else of anybody; it was cut off before it was written down, or said twice."""
        for of_the_same_person in (True, False):
            for ours in list(self.ours.values()):
                equal = (t for t in self.theirs.values() if t.digest == ours.digest)
                if (theirs := next((t for t in equal if t.email == ours.email or not of_the_same_person), None)) is not None:
                    self._new_pair(ours, theirs)

    def _new_pair(self, ours: Said | None, theirs: Said | None, *, same: bool = True) -> LinkedAnnotation:
        if ours is not None:
            self.ours.pop(ours.id, None)
        if theirs is not None:
            self.theirs.pop(theirs.id, None)
        return LinkedAnnotation.objects.create(
            task=self.row, ours=ours.id if ours else None, theirs=theirs.id if theirs else None,
            our_digest=ours.digest if ours and same else "", their_digest=theirs.digest if theirs and same else "",
        )  # type: ignore[no-any-return]  # django-stubs are not used here # fmt: skip

    def _come(self, theirs: Said) -> None:
        """What only they say becomes an annotation here; if its place is taken by what only we say, a person chooses between the two."""
        mine = next((a for a in self.ours.values() if a.email and a.email == theirs.email and not a.rejected), None)
        if mine is not None:
            self._ask(self._new_pair(mine, theirs, same=False), "both", WHY["same"], mine, theirs)
            return
        try:
            with transaction.atomic():
                made = self._say_here(theirs)
                self._new_pair(self._as_said(made, theirs), theirs)
            self.run.counts["taken"] += 1
        except ItemFull:
            other = next((a for a in self.ours.values() if not a.rejected), None)
            why = WHY["place"].format(wanted=self.row.item.wanted)
            self._ask(self._new_pair(other, theirs, same=False), "both" if other else "refused", why, other, theirs)
        except HeadraceError as e:
            self._ask(self._new_pair(None, theirs, same=False), "refused", _said(e, "here"), None, theirs)

    def _go(self, ours: Said) -> None:
        try:
            made = self.run.there.annotate(self.row.remote, self._fields(ours))
        except NotTaken as e:
            self._ask(self._new_pair_kept(ours), "refused", f"It is not taken there: {e}", ours, None)
            return
        pair = LinkedAnnotation.objects.create(
            task=self.row, ours=ours.id, theirs=int(made["id"]), our_digest=ours.digest, their_digest=digest_of(made["result"])
        )
        self._flagged(pair, ours, made)
        self.run.counts["told"] += 1

    def _flagged(self, pair: LinkedAnnotation, ours: Said, made: dict[str, Any]) -> None:
        """Whether it is the ground truth there now; where that is not so yet, `truths` says it when all answers are there."""
        pair.their_truth = made.get("ground_truth") is True
        pair.our_truth = ours.truth if self._alone() else pair.our_truth
        pair.save(update_fields=["our_truth", "their_truth"])
        self.run.told_truth.add(pair.pk)

    def _alone(self) -> bool:
        """Whether the flag goes with the answer: of several, none is the truth before all are there."""
        return self.run.tells_truth and self.row.item.wanted == 1

    def _new_pair_kept(self, ours: Said) -> LinkedAnnotation:
        return LinkedAnnotation.objects.create(task=self.row, ours=ours.id)  # type: ignore[no-any-return]  # as above

    def _fields(self, ours: Said) -> dict[str, Any]:
        """Their number for the author, where they know them; an id of its own, so that the server refuses to make it twice."""
        by = next((n for n, person in self.run.people_there().items() if ours.email and person.email == ours.email), None)
        fields: dict[str, Any] = {"result": ours.result, "unique_id": str(uuid.uuid5(self.run.link.pk, f"{self.row.remote} {ours.id}"))}
        return fields | ({"ground_truth": True} if ours.truth and self._alone() else {}) | ({"completed_by": by} if by is not None else {})

    def _tell(self, pair: LinkedAnnotation, ours: Said | None, theirs: Said | None) -> None:
        """What we say goes there: it is changed, made, or taken back."""
        there = self.run.there
        try:
            if ours is None:
                assert theirs is not None
                whole = theirs if theirs.result is not None else self._whole(theirs)
                there.withdraw(theirs.id)
                with transaction.atomic():
                    if whole.result is not None:
                        record.annotation_deleted(self.run.link, self.row, "ours", theirs=whole)
                    pair.delete()
                self.run.counts["deleted"] += 1
                return
            fields = self._fields(ours)
            if theirs is None:
                fields["unique_id"] = str(uuid.uuid4())  # the one before was deleted there
                made = there.annotate(self.row.remote, fields)
                pair.theirs = int(made["id"])
            else:
                made = there.change(theirs.id, {name: fields[name] for name in fields if name != "unique_id"})
        except NotTaken as e:
            self._ask(pair, "refused", f"It is not taken there: {e}", ours, theirs)
            return
        self.run.counts["told"] += 1
        self._same(pair, ours.digest, digest_of(made["result"]))
        self._flagged(pair, ours, made)

    def _take(self, pair: LinkedAnnotation, ours: Said | None, theirs: Said | None, *, force: bool = False) -> None:
        """What they say comes here: it is changed, made, or taken back. With `force`, also what a reviewer has accepted and whose author is
        another."""
        run = self.run
        try:
            with transaction.atomic():
                mine = Annotation.objects.select_related("item__schema__project", "item__assignment", "author").filter(pk=pair.ours).first()
                if theirs is None:
                    if mine is not None:
                        record.annotation_deleted(run.link, self.row, "theirs", ours=mine)
                        withdraw(run.user, mine, run.user, run.role)
                    pair.delete()
                    run.counts["deleted"] += 1
                    return
                if theirs.result is None:
                    theirs = self._whole(theirs)
                if mine is not None and force and (mine.status == "accepted" or (ours is not None and ours.email != theirs.email)):
                    withdraw(run.user, mine, run.user, run.role)
                    mine = None
                if mine is None:
                    made = self._say_here(theirs)
                elif mine.author is None:
                    made = outsiders.reword_for(run.user, mine, with_ids(theirs.result))
                else:
                    made = change_annotation(run.user, mine, mine.author, {"result": theirs.result})
                pair.ours = made.pk
                self._same(pair, digest_of(made.result), theirs.digest)
            run.counts["taken"] += 1
        except HeadraceError as e:
            self._ask(pair, "refused", _said(e, "here"), ours, theirs)

    def _whole(self, theirs: Said) -> Said:
        """What they say, of which only the digest is known yet."""
        for task in self.run.there.tasks_of(self.run.project, [self.row.remote]):
            return theirs_of(task, self.run.people_there).get(theirs.id, theirs)
        return theirs

    def _say_here(self, theirs: Said) -> Annotation:
        item = QueueItem.objects.select_related("schema__project", "assignment").get(pk=self.row.item_id)
        person = self._person(theirs.email)
        if person is not None and not Annotation.objects.filter(item=item, author=person).exists():
            made = annotate(self.run.user, item, person, {"result": theirs.result})
            assert made is not None
            return made
        return outsiders.say_for(self.run.user, item, theirs.name, with_ids(theirs.result))

    def _person(self, email: str) -> User | None:
        """Our person of that address, if they label here."""
        found = Membership.objects.select_related("user").filter(project=self.run.schema.project, user__email__iexact=email).first()
        return found.user if email and found is not None and may(found.role, "label.annotate") else None

    def _as_said(self, made: Annotation, theirs: Said) -> Said:
        return Said(id=made.pk, result=made.result, digest=digest_of(made.result), email=theirs.email, name=theirs.name)

    def _same(self, pair: LinkedAnnotation, our_digest: str, their_digest: str) -> None:
        pair.our_digest, pair.their_digest = our_digest, their_digest
        pair.save(update_fields=["ours", "theirs", "our_digest", "their_digest"])
        record.settled(self.row, pair)

    def _ask(self, pair: LinkedAnnotation, kind: str, why: str, ours: Said | None, theirs: Said | None) -> None:
        if theirs is not None and theirs.result is None:
            theirs = self._whole(theirs)
        record.conflict(self.row, pair, kind, why, ours, theirs)


WHY = {
    "both": "Both sides changed it.",
    "same": "The same person said two things.",
    "here": "It was taken back here, and changed there.",
    "there": "It was deleted there, and changed here.",
    "place": "{wanted} shall label each item, and here that is done.",
}


def _said(error: HeadraceError, where: str) -> str:
    first = error.problems[0] if error.problems else {}
    more = f": {first.get('field', '')} {first.get('message', '')}" if first else ""
    return f"It is not taken {where}: {error}{more}"
