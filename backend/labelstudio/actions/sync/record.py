"""What a person must decide, and what was deleted because the other side did: rows that the schema's page shows."""

from __future__ import annotations

from typing import Any

from backend.labeling.models import Annotation
from backend.labelstudio.actions.sync.said import Said
from backend.labelstudio.models import Conflict, Deletion, Link, LinkedAnnotation, LinkedTask

Json = dict[str, Any]
GONE, DATA = ("gone_here", "gone_there"), ("data", "file")
"""Kinds of conflicts of a task, and not of one of its annotations; a task has one of them at most."""


def conflict(task: LinkedTask, pair: LinkedAnnotation | None, kind: str, why: str, ours: Said | None, theirs: Said | None) -> None:
    """One for each pair, or, without one, for the task; the newest words stand, and what was chosen before counts no longer."""
    told = {
        "kind": kind, "why": why[:500], "chosen": "", "ours": ours.shown() if ours else None, "theirs": theirs.shown() if theirs else None,
    }  # fmt: skip
    Conflict.objects.update_or_create(task=task, pair=pair, defaults=told)


def data_conflict(task: LinkedTask, kind: str, why: str, ours: Json, theirs: Json) -> None:
    """`ours` and `theirs` are {data, digest}: what people see of it, and of what the whole is."""
    told = {"kind": kind, "why": why[:500], "chosen": "", "ours": ours, "theirs": theirs}
    Conflict.objects.update_or_create(task=task, pair=None, defaults=told)


def settled(task: LinkedTask, pair: LinkedAnnotation | None = None) -> None:
    Conflict.objects.filter(task=task, pair=pair).delete()


def chosen_of(task: LinkedTask, pair: LinkedAnnotation | None = None) -> str:
    """Of an annotation, or (None) of a task that one side deleted."""
    rows = Conflict.objects.filter(task=task, pair=pair).exclude(kind__in=DATA)
    return rows.values_list("chosen", flat=True).first() or ""


def annotation_deleted(link: Link, task: LinkedTask, side: str, *, ours: Annotation | None = None, theirs: Said | None = None) -> None:
    """Before it is deleted on the side that still has it: `ours`, or `theirs`."""
    if ours is not None:
        author = ours.author
        by = (author.name or author.email) if author else ours.author_name
        before: Json = {
            "result": ours.result, "author": str(author.pk) if author else None, "author_name": ours.author_name, "seconds": ours.seconds,
        }  # fmt: skip
    else:
        assert theirs is not None
        by = theirs.name
        before = {"result": theirs.result, "author": None, "email": theirs.email, "author_name": theirs.name, "seconds": 0}
    before["by"] = by
    Deletion.objects.create(link=link, item_id=task.item_id, side=side, what="annotation", before=before)


def task_deleted(link: Link, item: int, side: str) -> None:
    Deletion.objects.create(link=link, item_id=item, side=side, what="task")
