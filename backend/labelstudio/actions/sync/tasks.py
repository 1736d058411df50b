"""Tasks on both sides: deletions are followed or asked about, what only one side has is made on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from django.db import transaction
from django.db.models import Q

from backend.artifacts.storage import store
from backend.core.errors import HeadraceError
from backend.datasets.reading.items import most_bytes
from backend.labeling.models import QueueItem
from backend.labeling.queries.items import shown_data, wording
from backend.labeling.queries.schemas import newest_version
from backend.labelstudio.actions.files import WORDS, Kept, bring, folder, keep
from backend.labelstudio.actions.importing import import_tasks
from backend.labelstudio.actions.sync import data, record
from backend.labelstudio.actions.sync.clean import LARGEST_TASK, too_large
from backend.labelstudio.actions.sync.said import ours_of, theirs_of
from backend.labelstudio.actions.sync.sides import address_digest, digest_of
from backend.labelstudio.actions.sync.sides import ours_of as ours_of_task
from backend.labelstudio.actions.sync.sides import theirs_of as theirs_of_task
from backend.labelstudio.actions.sync.there import UPLOAD_BYTES, UPLOADS_AT_ONCE, NotTaken
from backend.labelstudio.actions.tasks import bring_back, remove_tasks
from backend.labelstudio.models import Conflict, LinkedAnnotation, LinkedTask
from backend.labelstudio.queries.subjects import counterpart_of
from workers.sdk.labels.config import FILES

if TYPE_CHECKING:
    from backend.labelstudio.actions.sync.run import Run

Json = dict[str, Any]
BATCH = 500
MARK = "headrace"
"""In `meta` of a task that was sent: whose it is, so that one which was cut off on the way is known again."""
MANY, SHARE = 20, 0.25
"""More deletions than this at once, and more than this share of all, look like an accident: a person is asked."""


def same_on_both_sides(run: Run) -> None:
    _deleted(run)
    _adopt(run)
    data.keep_the_same(run)
    _bring(run)
    _send(run)


def _deleted(run: Run) -> None:
    link = run.link
    lost = LinkedTask.objects.filter(Q(remote__in=run.gone) | Q(item__removed=True), link=link, apart=False)
    rows = {row.pk: row for row in lost.select_related("item")}
    many = len(rows) > MANY and len(rows) > SHARE * LinkedTask.objects.filter(link=link).count()
    for n, row in enumerate(rows.values()):
        run.beat("deletions", n, len(rows))
        gone, removed = row.remote in run.gone, row.item.removed
        if gone and removed:
            row.delete()
        elif gone:
            _gone_there(run, row, many)
        else:
            _gone_here(run, row, many)
    again = Conflict.objects.filter(task__link=link, pair=None, kind__in=record.GONE, task__apart=False)
    again.exclude(task__in=rows).delete()


def _why(many: bool, else_: str) -> str:
    return "So many tasks were deleted at once that it may be a mistake." if many else else_


def _gone_there(run: Run, row: LinkedTask, many: bool) -> None:
    chosen, owned = record.chosen_of(row), counterpart_of(run.schema).owned
    changed = _changed(row, ours_of([row.item_id]).get(row.item_id, {}), "ours")
    if chosen == "ours":
        row.delete()  # so it is sent again
    elif chosen == "theirs" and not owned:
        row.apart = True
        row.save(update_fields=["apart"])
        record.settled(row)
    elif owned and (chosen == "theirs" or not (changed or many)):
        with transaction.atomic():
            record.task_deleted(run.link, row.item_id, "theirs")
            remove_tasks(run.user, run.schema, Q(pk=row.item_id))
            row.delete()
        run.counts["deleted"] += 1
    else:
        why = "It was deleted there, and here somebody has changed what is said of it." if changed else (
            _why(many, f"It was deleted there. Here it belongs to the data set {run.schema.dataset.name}, where it stays.")
        )  # fmt: skip
        record.conflict(row, None, "gone_there", why, next(iter(ours_of([row.item_id]).get(row.item_id, {}).values()), None), None)


def _gone_here(run: Run, row: LinkedTask, many: bool) -> None:
    chosen = record.chosen_of(row)
    theirs = theirs_of(run.changed[row.remote], run.people_there) if row.remote in run.changed else None
    changed = theirs is not None and _changed(row, theirs, "theirs")
    if chosen == "theirs":
        with transaction.atomic():
            bring_back(run.schema, [row.item_id])
            record.settled(row)
        return
    if chosen != "ours" and (changed or many):
        why = "It was deleted here, and there somebody has changed what is said of it." if changed else _why(many, "")
        record.conflict(row, None, "gone_here", why, None, next(iter((theirs or {}).values()), None))
        return
    try:
        run.there.delete_task(row.remote)
    except NotTaken as e:
        record.conflict(row, None, "gone_here", f"It was deleted here, and cannot be deleted there: {e}", None, None)
        return
    with transaction.atomic():
        record.task_deleted(run.link, row.item_id, "ours")
        row.delete()
    run.changed.pop(row.remote, None)
    run.counts["deleted"] += 1


def _changed(row: LinkedTask, said: dict[Any, Any], side: str) -> bool:
    """Whether a side says something else than when both were last the same."""
    ids, digests = ("ours", "our_digest") if side == "ours" else ("theirs", "their_digest")
    pairs = {p[0]: p[1] for p in LinkedAnnotation.objects.filter(task=row).values_list(ids, digests) if p[0] is not None}
    return {key: one.digest for key, one in said.items()} != pairs


def _adopt(run: Run) -> None:
    """Tasks that were sent when a synchronisation was cut off, before it could be written down."""
    known = set(LinkedTask.objects.filter(link=run.link).values_list("remote", flat=True))
    named: dict[int, int] = {}
    for remote, task in run.changed.items():
        mark = (task.get("meta") or {}).get(MARK) if isinstance(task.get("meta"), dict) else None
        if remote not in known and isinstance(mark, dict) and mark.get("link") == str(run.link.pk) and isinstance(mark.get("item"), int):
            named[mark["item"]] = remote
    linked = LinkedTask.objects.filter(link=run.link).values("item")
    there = QueueItem.objects.filter(pk__in=named, schema=run.schema, removed=False).exclude(pk__in=linked)
    LinkedTask.objects.bulk_create([LinkedTask(link=run.link, item_id=pk, remote=named[pk]) for pk in there.values_list("pk", flat=True)])


def _bring(run: Run) -> None:
    """What only they have; what is said of it follows with everything else."""
    known = set(LinkedTask.objects.filter(link=run.link).values_list("remote", flat=True))
    new = [task for remote, task in sorted(run.changed.items()) if remote not in known]
    table = run.schema.dataset.modality == "table"
    large = [task for task in new if too_large(task["data"])]
    for task in large:
        run.left_out(f"task {task['id']} there", f"It has more than {LARGEST_TASK:,} characters of data.")
    new = [task for task in new if task not in large] if large else new
    if table and not counterpart_of(run.schema).owned:
        run.uploaded.rows(new)
        return
    size = BATCH if table else UPLOADS_AT_ONCE
    for n in range(0, len(new), size):
        part, files = new[n : n + size], None
        if not table:
            part, files = _files(run, part, n, len(new))
        run.beat("bringing tasks", n, len(new))
        if part:
            _take(run, part, files)


def _take(run: Run, part: list[Json], files: list[Kept] | None) -> None:
    """All of a part, or, where one of it does not fit the label schema, one by one."""
    given = [{"data": task["data"], "meta": {k: v for k, v in (task.get("meta") or {}).items() if k != MARK}} for task in part]
    try:
        with transaction.atomic():
            ids = import_tasks(run.user, run.schema, run.user, run.role, given, files=files)["task_ids"]
            config = wording(newest_version(run.schema))
            ours = {item.pk: digest_of(ours_of_task(item, config)) for item in QueueItem.objects.filter(pk__in=ids)}
            LinkedTask.objects.bulk_create(
                [
                    LinkedTask(
                        link=run.link, item_id=id_, remote=int(task["id"]), our_data=ours[id_],
                        their_data=digest_of(theirs_of_task(task["data"], config)), their_file=address_digest(task["data"], config),
                    )
                    for id_, task in zip(ids, part, strict=True)
                ]
            )  # fmt: skip
        run.counts["brought"] += len(part)
    except HeadraceError as e:
        if len(part) == 1:
            first = e.problems[0] if e.problems else {"message": str(e)}
            run.left_out(f"task {part[0]['id']} there", f"{first.get('message', '')} {first.get('expected', '')}".strip())
            return
        for n, task in enumerate(part):
            _take(run, [task], files[n : n + 1] if files is not None else None)


def _files(run: Run, part: list[Json], done: int, total: int) -> tuple[list[Json], list[Kept]]:
    config, modality = wording(newest_version(run.schema)), run.schema.dataset.modality
    variable = config.objects[0].value
    had: list[Json] = []
    files = []
    for n, task in enumerate(part):
        run.beat("bringing files", done + n, total)
        value = task["data"].get(variable)
        try:
            if modality == "text":
                with folder() as work:
                    (work / "file").write_text(value if isinstance(value, str) else "", encoding="utf-8")
                    files.append(keep(work / "file", "", modality, work))
            else:
                files.append(bring(value, modality, run.there.fetch, most=most_bytes(modality)))
            had.append(task)
        except (ValueError, httpx.HTTPError, OSError) as e:
            run.left_out(f"task {task['id']} there", f"Its {WORDS[modality]} cannot be had: {e} ({str(value)[:120]})")
    return had, files


def _send(run: Run) -> None:
    linked = LinkedTask.objects.filter(link=run.link).values("item")
    items = list(QueueItem.objects.filter(schema=run.schema, removed=False).exclude(pk__in=linked).order_by("pk"))
    n = 0
    while n < len(items):
        part = _portion(items, n)
        run.beat("sending tasks", n, len(items))
        n += len(part)
        try:
            _send_these(run, part)
        except NotTaken as e:
            for item in part if len(part) > 1 else []:
                try:
                    _send_these(run, [item])
                except NotTaken as alone:
                    run.left_out(item.key, f"It is not taken there: {alone}")
            if len(part) == 1:
                run.left_out(part[0].key, f"It is not taken there: {e}")


def _portion(items: list[QueueItem], begin: int) -> list[QueueItem]:
    """As many as go in one request."""
    if items[begin].media_type == "application/json" or items[begin].media_type.startswith("text/"):
        return items[begin : begin + BATCH]
    part: list[QueueItem] = []
    size, kept = 0, store()
    for item in items[begin : begin + UPLOADS_AT_ONCE]:
        size += kept.size(item.digest)
        if part and size > UPLOAD_BYTES:
            break
        part.append(item)
    return part


def _send_these(run: Run, part: list[QueueItem]) -> None:
    config = wording(newest_version(run.schema))
    shows = next((o.value for o in config.objects if o.tag in FILES), None)
    given = [dict(item.data) for item in part]
    if shows is not None:
        files = [(item.key.rsplit("/", 1)[-1], item.digest, item.media_type) for item in part]
        for one, address in zip(given, run.there.upload(run.project, files), strict=True):
            one[shows] = address
    elif part[0].media_type.startswith("text/"):
        for one, item in zip(given, part, strict=True):
            said = shown_data(item, config)
            one.update({o.value: said[o.name] for o in config.objects if o.name in said})
    marked = [
        {"data": one, "meta": {MARK: {"link": str(run.link.pk), "item": item.pk}}} for one, item in zip(given, part, strict=True)
    ]  # fmt: skip
    ids = run.there.import_tasks(run.project, marked)
    LinkedTask.objects.bulk_create(
        [
            LinkedTask(
                link=run.link, item=item, remote=n, our_data=digest_of(ours_of_task(item, config)),
                their_data=digest_of(theirs_of_task(one, config)),
            )
            for item, n, one in zip(part, ids, given, strict=True)
        ]
    )  # fmt: skip
    run.counts["sent"] += len(part)
