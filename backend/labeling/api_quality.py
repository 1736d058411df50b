"""HTTP of the quality of labels: figures, disagreements, honeypots, pauses, settings; nothing else."""

from typing import Any
from uuid import UUID

from ninja import Router, Status

from backend.core.http import ApiRequest, allow
from backend.core.schemas import Limit, Page, Text
from backend.labeling.actions import announce, honeypots, measure
from backend.labeling.actions.quality import set_quality
from backend.labeling.queries import quality as read
from backend.labeling.queries.schemas import find_schema
from backend.labeling.schemas_quality import (
    DisagreementOut,
    HoneypotOut,
    HoneypotsAddedOut,
    HoneypotsIn,
    QualityOut,
    QualitySettings,
)

router = Router(tags=["labeling"])
ONE = "/projects/{project}/label-schemas/{label_schema}/quality"


@router.get(ONE, response=QualityOut)
@allow("label.read")
def get_quality(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Agreement, confusion, speed and quality as last measured; annotators see their own figures."""
    announce.announce_waiting()
    return read.quality(find_schema(request.project, label_schema), request.user, request.role)


@router.post(ONE, response={202: QualityOut})
@allow("label.review")
def measure_quality(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Have it measured anew by a worker."""
    found = find_schema(request.project, label_schema)
    measure.measure_now(request, found)
    return Status(202, read.quality(found, request.user, request.role))


@router.get(ONE + "/disagreements", response=Page[DisagreementOut])
@allow("label.review")
def list_disagreements(
    request: ApiRequest,
    project: str,
    label_schema: str,
    control: Text | None = None,
    said: Text | None = None,
    other: Text | None = None,
    person: UUID | None = None,
    beside: UUID | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> Any:
    """Where two people differed at the last measurement: `person` said `said`, `beside` said `other` (labels; an empty one is nothing)."""
    return read.differing(
        find_schema(request.project, label_schema), control=control, said=said, other=other, person=person, beside=beside, cursor=cursor,
        limit=limit,
    )  # fmt: skip


@router.get(ONE + "/settings", response=QualitySettings)
@allow("label.review")
def get_quality_settings(request: ApiRequest, project: str, label_schema: str) -> Any:
    """How ground truth comes about, and honeypots."""
    return find_schema(request.project, label_schema)


@router.put(ONE + "/settings", response=QualitySettings)
@allow("label.manage")
def set_quality_settings(request: ApiRequest, project: str, label_schema: str, payload: QualitySettings) -> Any:
    """Another way to the ground truth is applied to every item that no person decided, by a worker."""
    return set_quality(request, request.project, label_schema, payload.model_dump())


@router.get(ONE + "/honeypots", response=Page[HoneypotOut])
@allow("label.manage")
def list_honeypots(request: ApiRequest, project: str, label_schema: str, cursor: str | None = None, limit: Limit = 50) -> Any:
    """Items whose answer is known, newest first."""
    return read.honeypots(find_schema(request.project, label_schema), cursor, limit)


@router.post(ONE + "/honeypots", response={201: HoneypotsAddedOut})
@allow("label.manage")
def add_honeypots(request: ApiRequest, project: str, label_schema: str, payload: HoneypotsIn) -> Any:
    """Make items honeypots: drawn from those that a person decided, or named, with answers of one's own if wanted."""
    found = find_schema(request.project, label_schema)
    if payload.number is not None:
        return Status(201, {"added": honeypots.add_from_truth(request, found, request.user, payload.number)})
    return Status(201, {"added": honeypots.add_items(request, found, request.user, [one.model_dump() for one in payload.items])})


@router.delete(ONE + "/honeypots/{int:item}", response={204: None})
@allow("label.manage")
def remove_honeypot(request: ApiRequest, project: str, label_schema: str, item: int) -> Any:
    """Make it an item like others; what it scored goes too."""
    honeypots.remove(request, find_schema(request.project, label_schema), item)
    return Status(204, None)


@router.delete(ONE + "/pauses/{uuid:person}", response={204: None})
@allow("label.manage")
def lift_pause(request: ApiRequest, project: str, label_schema: str, person: UUID) -> Any:
    """Let a paused person go on; earlier scores no longer count against them."""
    honeypots.lift(request, find_schema(request.project, label_schema), person, request.user)
    return Status(204, None)
