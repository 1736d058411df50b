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
from backend.labeling.models import Annotation, LabelSchema, Skip
from backend.labeling.queries.schemas import newest_wording
from backend.labelstudio.actions.announce import later
from backend.labelstudio.actions.sync import answers, predictions, skips, tasks, truths
from backend.labelstudio.actions.sync.clean import cleaned
from backend.labelstudio.actions.sync.said import Person
from backend.labelstudio.actions.sync.there import SKEW, CannotSync, There
from backend.labelstudio.actions.sync.uploaded import Uploaded
from backend.labelstudio.models import Conflict, Link, LinkedAnnotation, LinkedSkip, LinkedTask, SyncRun

log = logging.getLogger(__name__)
Json = dict[str, Any]
TELL_EVERY = 0.5
MOST_PROBLEMS = 50
KEPT_RUNS = 20


class Stopped(Exception):
    """Somebody cancelled it, or unlinked."""


@dataclass(kw_only=True)
class Run:
    """What the parts of a synchronisation share. `changed` are tasks there that were read, by their number; `gone` those that are no
    longer there. `tells_truth`: what is ground truth is marked there; `told_truth` are the pairs of which that was just said."""

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
    predictions: int | None = None
    """How many the server counts, where it says so."""
    tells_truth: bool = False
    told_truth: set[int] = field(default_factory=set)
    _uploaded: Uploaded | None = None
    _people: dict[int, Person] | None = None
    _told: float = 0.0

    def people_there(self) -> dict[int, Person]:
        if self._people is None:
            self._people = self.there.people()
        return self._people

    @property
    def uploaded(self) -> Uploaded:
        if self._uploaded is None:
            self._uploaded = Uploaded(self)
        return self._uploaded

    def read(self, remotes: list[int]) -> dict[int, Json]:
        """These tasks as they are there now."""
        return dict(filter(None, map(self.taken, self.there.tasks_of(self.project, remotes)))) if remotes else {}

    def taken(self, task: Json) -> tuple[int, Json] | None:
        """A task that was read, such that it can be kept; None where it is none."""
        told, other = cleaned(task)
        if not isinstance(told.get("id"), int) or not isinstance(told.get("data"), dict):
            self.left_out("a task there", f"It has no number or no data: {str(told)[:100]}")
            return None
        if other:
            self.problem(f"task {told['id']} there", "Some of its characters or numbers cannot be kept; “�” stands for them here.")
        return told["id"], told

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
        self.problem(where, message)

    def problem(self, where: str, message: str) -> None:
        """What a person should know, though nothing was left out."""
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
        _end(link, run, began, status, message)


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
    tells = truths.may_go(link, link.schema)
    return Run(link=link, schema=link.schema, user=user, role=member.role, there=there, project=number, tells_truth=tells)


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
    truths.keep_the_same(run, rows)
    skips.keep_the_same(run, rows)
    predictions.keep_the_same(run)
    Link.objects.filter(pk=link.pk).update(read_until=until, told_until=began)


def _read(run: Run) -> datetime | None:
    """What changed there since the last time. Only where the number of tasks is not what it must be are all their numbers asked for."""
    link, there = run.link, run.there
    project = there.project(run.project)
    count = int(project.get("task_number") or 0)
    predicted = project.get("total_predictions_number")
    run.predictions = predicted if isinstance(predicted, int) else None
    since = link.read_until - SKEW if link.read_until else None
    known = set(LinkedTask.objects.filter(link=link).values_list("remote", flat=True))
    for n, task in enumerate(there.tasks(run.project, since)):
        run.changed.update(filter(None, [run.taken(task)]))
        run.beat("reading", n + 1, count)
    if since is None:
        run.gone = known - set(run.changed)
    elif len(known | set(run.changed)) != count:
        ids = there.ids(run.project)
        run.gone = known - ids
        run.changed |= run.read(sorted(ids - known - set(run.changed)))
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
        skipped = Exists(Skip.objects.filter(item=OuterRef("item"), created_at__gte=since))
        kept_skip = Skip.objects.filter(item=OuterRef("task__item"), user=OuterRef("user"))
        lost_skip = Exists(LinkedSkip.objects.filter(~Exists(kept_skip), task=OuterRef("pk")))
        changed = Q(remote__in=list(run.changed)) | Exists(newer) | Exists(lost) | Exists(chosen) | unpaired & said
        rows = rows.filter(changed | skipped | lost_skip | truths.other_than_before(run))
    return list(rows.select_related("item__schema__project", "item__assignment").order_by("pk"))


OTHER_KINDS = (
    ("changed_here", "changed_there", "changes of what tasks say"), ("skips_came", "skips_went", "skips"),
    ("truths_came", "truths_went", "ground truths"), ("suggested", "predicted", "predictions"),
)  # fmt: skip


def _words(run: Run) -> str:
    c = run.counts
    said = (
        f"{c['brought']:,} tasks came, {c['sent']:,} went; {c['taken']:,} answers came, {c['told']:,} went;"
        f" {Conflict.objects.filter(task__link=run.link).count():,} conflicts."
    )
    for came, went, what in OTHER_KINDS:
        if c[came] or c[went]:
            said += f" {c[came]:,} {what} came, {c[went]:,} went."
    if c["deleted"]:
        said += f" {c['deleted']:,} deletions were followed; they can be undone."
    if c["unpredicted"]:
        said += f" {c['unpredicted']:,} predictions were deleted, as on the other side."
    if c["skips_stay"]:
        said += f" {c['skips_stay']:,} skips stay where they are: the other side does not know who skipped."
    return said + (f" Left out: {c['left_out']:,}." if c["left_out"] else "")


def _keep_run(link: Link, began: datetime, status: str, message: str, run: Run | None) -> None:
    """Those with nothing to do would soon be all there is: of them the newest stays."""
    quiet = SyncRun.objects.filter(link=link, status="ready", counts={})
    counts = {name: n for name, n in run.counts.items() if n} if run else {}
    if status == "ready" and not counts:
        quiet.delete()
    SyncRun.objects.create(link=link, began_at=began, status=status, message=message[:500], counts=counts)
    old = SyncRun.objects.filter(link=link).order_by("-pk").values_list("pk", flat=True)[KEPT_RUNS:]
    SyncRun.objects.filter(pk__in=list(old)).delete()


def _end(link: Link, run: Run | None, began: datetime, status: str, message: str) -> None:
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
        _keep_run(row, began, status, message, run)
        if run is not None and run.counts:
            audit.record(
                run.user, "label_link.sync", ("label_schema", link.schema_id, link.schema.slug), project=link.schema.project,
                details={"status": status, **run.counts},
            )  # fmt: skip
        schema_changed(link.schema)
    later(row)
