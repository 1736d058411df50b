"""One synchronisation with a Label Studio server, through its own SDK, in the worker.

Tasks that only one side has are made on the other. Of each task one answer is kept the same: here the accepted annotation or the newest,
there the newest. An answer that one side changed since both were the same goes to the other; where both changed it, nothing is overwritten
and a person chooses. Data of tasks that exist on both sides are left alone, and so are tasks that one side deleted.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from django.utils import timezone

from backend.core import outgoing
from backend.core.errors import HeadraceError
from backend.core.models import Membership
from backend.core.secrets import decrypt
from backend.datasets.locks import only_one
from backend.labeling.actions.announce import schema_changed
from backend.labeling.actions.withdraw import withdraw
from backend.labeling.models import Annotation, QueueItem
from backend.labeling.queries.schemas import newest_wording
from backend.labelstudio.actions.importing import import_tasks
from backend.labelstudio.actions.tasks import annotate, change_annotation
from backend.labelstudio.models import Link, LinkedTask
from backend.labelstudio.queries.subjects import counterpart_of

PAGE = 500
BATCH = 1_000
Json = dict[str, Any]


class NotLinkable(HeadraceError):
    """{why}"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a side says of a task; `result` None: nothing. `id` is of the annotation there."""

    id: Any = None
    result: list[Json] | None = None

    @property
    def digest(self) -> str:
        """Ids of regions do not count: each side may give its own, so they are replaced by their order."""
        if self.result is None:
            return "nothing"
        names: dict[str, str] = {}
        told = []
        for region in self.result:
            ends = {end: names.setdefault(str(region[end]), f"r{len(names)}") for end in ("id", "from_id", "to_id") if region.get(end)}
            told.append(ends | {k: region[k] for k in ("from_name", "to_name", "type", "value", "direction", "labels") if k in region})
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def sync(link_id: UUID) -> None:
    """Safe to call again and at once from several workers: what is the same already is left alone."""
    from label_studio_sdk.core.api_error import ApiError

    with only_one(f"link:{link_id}") as mine:
        rows = Link.objects.select_related("schema__project", "schema__dataset", "created_by")
        link = rows.filter(pk=link_id, status__in=["queued", "running"], schema__deleted_at=None).first()
        if not mine or link is None:
            return
        Link.objects.filter(pk=link.pk).update(status="running", announced_at=timezone.now())
        try:
            link.message = _Side(link).run()
            link.status, link.synced_at = "ready", timezone.now()
        except HeadraceError as e:
            link.status, link.message = "failed", f"{e} {e.hint}".strip()[:500]
        except ApiError as e:
            said = e.body.get("detail") if isinstance(e.body, dict) else e.body
            link.status, link.message = "failed", f"{link.url} answered {e.status_code}: {said}"[:500]
        except (httpx.HTTPError, OSError) as e:
            link.status, link.message = "failed", f"{link.url} cannot be reached: {e}"[:500]
        link.save(update_fields=["status", "message", "synced_at", "remote"])
        schema_changed(link.schema)


class _Side:
    """The two sides of a link while it is synchronised."""

    def __init__(self, link: Link) -> None:
        from label_studio_sdk.client import LabelStudio

        user = link.created_by
        member = Membership.objects.filter(project=link.schema.project, user=user).first() if user else None
        if user is None or member is None:
            raise NotLinkable(why="Whoever linked it is no longer in the project.", hint="Link it again in your name.")
        self.link, self.schema, self.user, self.role = link, link.schema, user, member.role
        self.there: Any = LabelStudio(  # type: ignore[no-untyped-call]  # the SDK has no types here
            base_url=link.url, api_key=decrypt(link.token), httpx_client=outgoing.client(seconds=120)
        )
        self.counts = {"brought": 0, "sent": 0, "taken": 0, "told": 0, "conflicts": 0}

    def run(self) -> str:
        """Returns what was done, in words."""
        if self.link.remote is None:
            version = newest_wording(self.schema)
            made = self.there.projects.create(title=self.schema.name, label_config=version.xml)
            self.link.remote = made.id
            Link.objects.filter(pk=self.link.pk).update(remote=made.id)
        remote: dict[int, Any] = {int(task.id or 0): task for task in self.there.tasks.list(project=self._number(), page_size=PAGE)}
        known = {row.remote: row for row in LinkedTask.objects.filter(link=self.link).select_related("item")}
        left = self._bring([t for n, t in remote.items() if n not in known])
        self._send({row.item_id for row in LinkedTask.objects.filter(link=self.link)})
        for row in LinkedTask.objects.filter(link=self.link, item__removed=False).select_related(
            "item__schema__project", "item__assignment"
        ):
            if row.remote in remote or row.remote not in known:
                self._answers(row, theirs_of(remote.get(row.remote)))
        words = (
            f"{self.counts['brought']} tasks came, {self.counts['sent']} went;"
            f" {self.counts['taken']} answers came, {self.counts['told']} went; {self.counts['conflicts']} conflicts."
        )
        return words + (f" {left} tasks stay there: the data set here was made by an upload." if left else "")

    def _number(self) -> int:
        if self.link.remote is None:
            raise NotLinkable(why="No project there is named.")
        return self.link.remote

    def _bring(self, tasks: list[Any]) -> int:
        """Tasks that only they have; their answers follow as any other. Returns how many could not be made here."""
        if tasks and not counterpart_of(self.schema).owned:
            return len(tasks)
        for n in range(0, len(tasks), BATCH):
            part = tasks[n : n + BATCH]
            given = [{"data": task.data, "meta": task.meta or {}} for task in part]
            ids = import_tasks(None, self.schema, self.user, self.role, given)["task_ids"]
            self._keep(zip(ids, [int(task.id) for task in part], strict=True))
            self.counts["brought"] += len(part)
        return 0

    def _send(self, known: set[int]) -> None:
        rows = QueueItem.objects.filter(schema=self.schema, removed=False).exclude(pk__in=known).order_by("pk")
        items = list(rows)
        for n in range(0, len(items), BATCH):
            part = items[n : n + BATCH]
            request: Any = [{"data": item.data} for item in part]
            made = self.there.projects.import_tasks(self._number(), request=request, return_task_ids=True)
            ids = getattr(made, "task_ids", None)
            if not isinstance(ids, list) or len(ids) != len(part):
                raise NotLinkable(why="The server does not say which tasks it made.", hint="It is too old to be synchronised with.")
            self._keep(zip([item.pk for item in part], ids, strict=True))
            self.counts["sent"] += len(part)

    def _keep(self, pairs: Any) -> None:
        nothing = Answer().digest
        LinkedTask.objects.bulk_create(
            [LinkedTask(link=self.link, item_id=item, remote=remote, ours=nothing, theirs=nothing) for item, remote in pairs]
        )

    def _answers(self, row: LinkedTask, theirs: Answer) -> None:
        ours = ours_of(row.item)
        chosen = (row.conflict or {}).get("chosen")
        if ours.digest == theirs.digest:
            self._same(row, ours.digest)
        elif chosen == "theirs" or (chosen is None and ours.digest == row.ours and theirs.digest != row.theirs):
            self._take(row, ours, theirs, force=chosen == "theirs")
        elif chosen == "ours" or (chosen is None and ours.digest != row.ours and theirs.digest == row.theirs):
            self._tell(row, ours, theirs)
        else:
            self._conflict(row, ours, theirs, "Both sides changed it.")

    def _same(self, row: LinkedTask, digest: str) -> None:
        if (row.ours, row.theirs, row.conflict) != (digest, digest, None):
            LinkedTask.objects.filter(pk=row.pk).update(ours=digest, theirs=digest, conflict=None)

    def _take(self, row: LinkedTask, ours: Answer, theirs: Answer, *, force: bool) -> None:
        mine = Annotation.objects.select_related("item__schema__project", "item__assignment", "author").filter(pk=ours.id).first()
        try:
            if mine is not None and (theirs.result is None or (force and mine.author_id != self.user.pk)):
                withdraw(None, mine, self.user, self.role)
                mine = None
            if theirs.result is not None and mine is not None:
                change_annotation(None, mine, self.user, {"result": theirs.result})
            elif theirs.result is not None:
                annotate(
                    None,
                    QueueItem.objects.select_related("schema__project", "assignment").get(pk=row.item_id),
                    self.user,
                    {"result": theirs.result},
                )
        except HeadraceError as e:
            self._conflict(row, ours, theirs, str(e))
            return
        self.counts["taken"] += 1
        self._same(row, theirs.digest)

    def _tell(self, row: LinkedTask, ours: Answer, theirs: Answer) -> None:
        if ours.result is None:
            self.there.annotations.delete(id=theirs.id)
        elif theirs.id is not None:
            self.there.annotations.update(id=theirs.id, result=ours.result)
        else:
            self.there.annotations.create(id=row.remote, result=ours.result)
        self.counts["told"] += 1
        self._same(row, ours.digest)

    def _conflict(self, row: LinkedTask, ours: Answer, theirs: Answer, why: str) -> None:
        self.counts["conflicts"] += 1
        told = {"ours": ours.result, "theirs": theirs.result, "why": why}
        LinkedTask.objects.filter(pk=row.pk).update(conflict=told)


def ours_of(item: QueueItem) -> Answer:
    said = list(Annotation.objects.filter(item=item).exclude(status="rejected").order_by("-updated_at"))
    found = next((a for a in said if a.pk == item.truth_id), said[0] if said else None)
    return Answer(id=found.pk, result=found.result) if found else Answer()


def theirs_of(task: Any) -> Answer:
    said = [a if isinstance(a, dict) else a.dict() for a in (task.annotations if task is not None else None) or []]
    said = [a for a in said if not a.get("was_cancelled") and a.get("result") is not None]
    newest = max(said, key=lambda a: (str(a.get("updated_at") or ""), a.get("id") or 0), default=None)
    return Answer(id=newest["id"], result=newest["result"]) if newest else Answer()
