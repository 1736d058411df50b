"""The studio's own routes: a label schema's link with a Label Studio server."""

from typing import Any

from ninja import Router, Status

from backend.core.http import ApiRequest, allow
from backend.core.permissions import may
from backend.labeling.queries.schemas import find_schema
from backend.labelstudio.actions import links
from backend.labelstudio.models import Link, LinkedTask
from backend.labelstudio.schemas import ChoiceIn, FoundLinkOut, LinkIn, LinkOut

router = Router(tags=["labeling"])
LINK = "/projects/{project}/label-schemas/{label_schema}/link"


@router.get(LINK, response=FoundLinkOut)
@allow("label.read")
def get_label_link(request: ApiRequest, project: str, label_schema: str) -> Any:
    """With which server it is linked, how the last synchronisation went, and where a person must choose; told to who may link it
    (a conflict shows what others have said)."""
    schema = find_schema(request.project, label_schema)
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


@router.post(LINK + "/conflicts/{int:item}", response={202: LinkOut})
@allow("label.manage")
def choose_side(request: ApiRequest, project: str, label_schema: str, item: int, payload: ChoiceIn) -> Any:
    """Of a task that both sides changed: which answer holds. Synchronises at once."""
    return Status(202, _out(links.choose(request, request.project, label_schema, item, payload.side)))


def _out(link: Link) -> dict[str, Any]:
    fields = ("url", "remote", "status", "message", "synced_at")
    rows = LinkedTask.objects.filter(link=link)
    conflicts = [
        {"task": row.item_id, "key": row.item.key, "chosen": None, **(row.conflict or {})}
        for row in rows.filter(conflict__isnull=False).select_related("item").order_by("pk")[:100]
    ]
    return {**{f: getattr(link, f) for f in fields}, "tasks": rows.count(), "conflicts": conflicts}
