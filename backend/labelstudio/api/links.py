"""The studio's own routes: a label schema's link with a Label Studio server."""

from typing import Any

from ninja import Router, Status

from backend.core.http import ApiRequest, allow
from backend.core.permissions import may
from backend.labeling.queries.schemas import find_schema
from backend.labelstudio.actions import links
from backend.labelstudio.actions.announce import announce_waiting
from backend.labelstudio.actions.sync.truths import may_go
from backend.labelstudio.models import Conflict, Deletion, Link, LinkedTask, SyncRun
from backend.labelstudio.schemas import ChoiceIn, FoundLinkOut, LinkIn, LinkOut, ScheduleIn

router = Router(tags=["labeling"])
OF_A_CONFLICT = ("id", "kind", "why", "ours", "theirs", "chosen")
SHOWN_RUNS = 10
LINK = "/projects/{project}/label-schemas/{label_schema}/link"


@router.get(LINK, response=FoundLinkOut)
@allow("label.read")
def get_label_link(request: ApiRequest, project: str, label_schema: str) -> Any:
    """With which server it is linked, how the last synchronisation went, and where a person must choose; told to who may link it
    (a conflict shows what others have said)."""
    schema = find_schema(request.project, label_schema)
    announce_waiting()
    found = Link.objects.filter(schema=schema).first() if may(request.role, "label.manage") else None
    return {"link": _out(found) if found else None}


@router.put(LINK, response={202: LinkOut})
@allow("label.manage")
def set_label_link(request: ApiRequest, project: str, label_schema: str, payload: LinkIn) -> Any:
    """Link with a project of a Label Studio server and synchronise; in the caller's name."""
    made = links.set_link(request, request.project, request.user, label_schema, **payload.model_dump())
    return Status(202, _out(made))


@router.delete(LINK, response={204: None})
@allow("label.manage")
def delete_label_link(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Stop synchronising; both sides keep what they have."""
    links.unlink(request, request.project, label_schema)
    return Status(204, None)


@router.post(LINK + "/sync", response={202: LinkOut})
@allow("label.manage")
def sync_label_link(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Synchronise now."""
    return Status(202, _out(links.sync_now(request, request.project, label_schema)))


@router.post(LINK + "/cancel", response=LinkOut)
@allow("label.manage")
def cancel_label_link(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Stop the synchronisation that runs; what it did stays."""
    return _out(links.cancel(request.project, label_schema))


@router.put(LINK + "/schedule", response=LinkOut)
@allow("label.manage")
def schedule_label_link(request: ApiRequest, project: str, label_schema: str, payload: ScheduleIn) -> Any:
    """How often it is synchronised without being asked."""
    return _out(links.set_schedule(request, request.project, label_schema, payload.every_minutes))


@router.post(LINK + "/conflicts", response={202: LinkOut})
@allow("label.manage")
def choose_side_of_all(request: ApiRequest, project: str, label_schema: str, payload: ChoiceIn) -> Any:
    """Of all conflicts: which side holds. Synchronises at once."""
    return Status(202, _out(links.choose(request, request.project, label_schema, None, payload.side)))


@router.post(LINK + "/conflicts/{int:conflict}", response={202: LinkOut})
@allow("label.manage")
def choose_side(request: ApiRequest, project: str, label_schema: str, conflict: int, payload: ChoiceIn) -> Any:
    """Of one conflict: which side holds. Synchronises at once."""
    return Status(202, _out(links.choose(request, request.project, label_schema, conflict, payload.side)))


@router.post(LINK + "/deletions/{int:deletion}/undo", response={202: LinkOut})
@allow("label.manage")
def undo_deletion(request: ApiRequest, project: str, label_schema: str, deletion: int) -> Any:
    """Take back what a synchronisation deleted, on both sides. Synchronises at once."""
    return Status(202, _out(links.undo(request, request.project, label_schema, deletion)))


def _out(link: Link) -> dict[str, Any]:
    fields = (
        "url", "remote", "status", "message", "phase", "done", "total", "problems", "every_minutes", "next_at", "synced_at", "tell_truth",
    )  # fmt: skip
    conflicts = Conflict.objects.filter(task__link=link)
    return {
        **{f: getattr(link, f) for f in fields},
        "truth_hidden": not may_go(link, link.schema),
        "runs": list(SyncRun.objects.filter(link=link).order_by("-pk")[:SHOWN_RUNS]),
        "tasks": LinkedTask.objects.filter(link=link).count(),
        "conflicts": [
            {"task": row.task.item_id, "key": row.task.item.key, **{f: getattr(row, f) for f in OF_A_CONFLICT}}
            for row in conflicts.select_related("task__item").order_by("pk")[:100]
        ],
        "conflict_count": conflicts.count(),
        "deletions": [
            {
                "task": row.item_id, "key": row.item.key, "by": row.before.get("by", ""), "result": row.before.get("result"),
                **{f: getattr(row, f) for f in ("id", "what", "side", "at", "undone_at")},
            }
            for row in Deletion.objects.filter(link=link).select_related("item").order_by("-pk")[:50]
        ],
    }  # fmt: skip
