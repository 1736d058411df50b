"""The order of things, what is told while they happen, and how it ends."""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import HeadraceError
from backend.core.models import Membership, User
from backend.core.permissions import may
from backend.core.secrets import decrypt
from backend.datasets.locks import only_one
from backend.labeling.actions.announce import schema_changed
from backend.labeling.models import Annotation, LabelSchema
from backend.labeling.queries.schemas import newest_wording
from backend.labelstudio.actions.announce import later
from backend.labelstudio.actions.sync import answers, predictions, tasks
from backend.labelstudio.actions.sync.said import Person
from backend.labelstudio.actions.sync.there import CannotSync, There
from backend.labelstudio.models import Conflict, Link, LinkedAnnotation, LinkedTask

log = logging.getLogger(__name__)
Json = dict[str, Any]
TELL_EVERY = 0.5
SKEW = timedelta(seconds=10)
"""What a transaction there may take: what it changed is not seen before, and has an earlier time."""
MOST_PROBLEMS = 50


class Stopped(Exception):
    """Somebody cancelled it, or unlinked."""


@dataclass(kw_only=True)
class Run:
    """What the parts of a synchronisation share. `changed` are tasks there that were read, by their number; `gone` those that are no
    longer there. `bulk`: so many are gone at once that a person shall look first."""

    link: Link
    schema: LabelSchema
    user: User
    role: str
    there: There
    project: int
    changed: dict[int, Json] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Json] = field(default_factory=list)
    _people: dict[int, Person] | None = None
    _told: float = 0.0

    def people_there(self) -> dict[int, Person]:
        if self._people is None:
            self._people = self.there.people()
        return self._people

    def beat(self, phase: str, done: int = 0, total: int = 0) -> None:
        """Tell how far it is, now and then; raises Stopped."""
        if (now := time.monotonic()) - self._told < TELL_EVERY and phase == self.link.phase:
            return
        new, self._told, self.link.phase = phase != self.link.phase, now, phase
        rows = Link.objects.filter(pk=self.link.pk, stop=False)
        if not rows.update(phase=phase, done=done, total=total, announced_at=timezone.now()):
            raise Stopped()
        if new:
            schema_changed(self.schema)

    def left_out(self, where: str, message: str) -> None:
        self.counts["left_out"] += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append({"where": where[:200], "message": message[:400]})


def sync(link_id: UUID) -> None:
    """Safe to call again and at once from several workers, and before its time: what is the same already is left alone."""
    with only_one(f"link:{link_id}") as mine:
        if not mine:
            return
        rows = Link.objects.select_related("schema__project", "schema__dataset", "created_by").filter(pk=link_id, schema__deleted_at=None)
        due = Q(status__in=["queued", "running"]) | Q(every_minutes__isnull=False, next_at__lte=timezone.now())
        link = rows.filter(due).first()
        if link is None:
            later(rows.filter(every_minutes__isnull=False).first())
            return
        began = timezone.now()
        Link.objects.filter(pk=link.pk).update(status="running", announced_at=began, phase="", done=0, total=0, stop=False)
        link.phase, run = "", None
        schema_changed(link.schema)
        try:
            run = _begin(link)
            _all_of_it(run, began)
            status, message = "ready", _words(run)
        except Stopped:
            status, message = "cancelled", "It was cancelled; the next one goes on from there."
        except HeadraceError as e:
            status, message = "failed", f"{e} {e.hint}".strip()
        except Exception:
            if run is None or not Link.objects.filter(pk=link.pk).exists():
                raise
            log.exception("the synchronisation of %s failed", link.schema.slug)
            status, message = "failed", "A fault of the studio itself stopped it; its log says which."
        finally:
            if run is not None:
                run.there.close()
        _end(link, run, status, message)


def _begin(link: Link) -> Run:
    user = link.created_by
    member = Membership.objects.filter(project=link.schema.project, user=user).first() if user else None
    if user is None or member is None or not may(member.role, "label.manage"):
        raise CannotSync(why="Whoever linked it may no longer manage the labels of this project.", hint="Link it again in your name.")
    there = There(link.url, decrypt(link.token))
    try:
        there.check()
        number = link.remote or there.make_project(_wanted(link.schema))
        if link.remote is None:
            link.remote = number
            Link.objects.filter(pk=link.pk).update(remote=number)
    except Exception:
        there.close()
        raise
    return Run(link=link, schema=link.schema, user=user, role=member.role, there=there, project=number)


def _wanted(schema: LabelSchema) -> Json:
    version = newest_wording(schema)
    return {
        "title": schema.name,
        "label_config": version.xml,
        "expert_instruction": version.guidelines,
        "maximum_annotations": schema.overlap,
    }


def _all_of_it(run: Run, began: datetime) -> None:
    run.beat("reading")
    link = run.link
    until = _read(run)
    tasks.same_on_both_sides(run)
    rows = _to_look_at(run)
    answers.keep_the_same(run, rows)
    predictions.keep_the_same(run)
    Link.objects.filter(pk=link.pk).update(read_until=until, told_until=began)


def _read(run: Run) -> datetime | None:
    """What changed there since the last time. Only where the number of tasks is not what it must be are all their numbers asked for."""
    link, there = run.link, run.there
    count = int(there.project(run.project).get("task_number") or 0)
    since = link.read_until - SKEW if link.read_until else None
    known = set(LinkedTask.objects.filter(link=link).values_list("remote", flat=True))
    for n, task in enumerate(there.tasks(run.project, since)):
        run.changed[int(task["id"])] = task
        run.beat("reading", n + 1, count)
    if since is None:
        run.gone = known - set(run.changed)
    elif len(known | set(run.changed)) != count:
        ids = there.ids(run.project)
        run.gone = known - ids
        for task in there.tasks_of(run.project, sorted(ids - known - set(run.changed))):
            run.changed[int(task["id"])] = task
    times = [datetime.fromisoformat(str(t["updated_at"])) for t in run.changed.values() if t.get("updated_at")]
    return max([*times, *([link.read_until] if link.read_until else [])], default=None)


def _to_look_at(run: Run) -> list[LinkedTask]:
    """Tasks of which either side may say something else than when both were last the same."""
    link = run.link
    rows = LinkedTask.objects.filter(link=link, apart=False, item__removed=False)
    if link.told_until is not None:
        since = link.told_until - SKEW
        newer = Annotation.objects.filter(item=OuterRef("item"), updated_at__gte=since)
        kept = Annotation.objects.filter(pk=OuterRef("ours"))
        lost = LinkedAnnotation.objects.filter(~Exists(kept), task=OuterRef("pk"), ours__isnull=False)
        chosen = Conflict.objects.filter(task=OuterRef("pk")).exclude(chosen="")
        unpaired = ~Exists(LinkedAnnotation.objects.filter(task=OuterRef("pk")))
        said = Exists(Annotation.objects.filter(item=OuterRef("item"), how="", honeypot=False))
        rows = rows.filter(Q(remote__in=list(run.changed)) | Exists(newer) | Exists(lost) | Exists(chosen) | unpaired & said)
    return list(rows.select_related("item__schema__project", "item__assignment").order_by("pk"))


def _words(run: Run) -> str:
    c = run.counts
    said = (
        f"{c['brought']:,} tasks came, {c['sent']:,} went; {c['taken']:,} answers came, {c['told']:,} went;"
        f" {Conflict.objects.filter(task__link=run.link).count():,} conflicts."
    )
    if c["predicted"] or c["suggested"]:
        said += f" {c['suggested']:,} predictions came, {c['predicted']:,} went."
    if c["deleted"]:
        said += f" {c['deleted']:,} deletions were followed; they can be undone."
    if c["stay"]:
        said += f" {c['stay']:,} tasks stay there: the table here was made by an upload."
    return said + (f" Left out: {c['left_out']:,}." if c["left_out"] else "")


def _end(link: Link, run: Run | None, status: str, message: str) -> None:
    now = timezone.now()
    with transaction.atomic():
        row = Link.objects.select_for_update().filter(pk=link.pk).first()
        if row is None:
            return
        row.status, row.message, row.phase, row.stop = status, message[:500], "", False
        row.problems = run.problems if run else []
        if status == "ready":
            row.synced_at = now
        row.next_at = now + timedelta(minutes=row.every_minutes) if row.every_minutes else None
        row.save(update_fields=["status", "message", "phase", "stop", "problems", "synced_at", "next_at"])
        if run is not None and run.counts:
            audit.record(
                run.user, "label_link.sync", ("label_schema", link.schema_id, link.schema.slug), project=link.schema.project,
                details={"status": status, **run.counts},
            )  # fmt: skip
        schema_changed(link.schema)
    later(row)
