"""HTTP of what became of suggestions: outcomes, accepting what a model is sure of; nothing else."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Router, Status

from backend.core.http import ApiRequest, allow
from backend.labeling.actions import announce, auto_accept
from backend.labeling.queries import suggestions as read
from backend.labeling.queries.schemas import find_schema
from backend.labeling.schemas_suggestions import AutoAcceptIn, AutoAcceptOut, SuggestionOutcomesOut

router = Router(tags=["labeling"])
ONE = "/projects/{project}/label-schemas/{label_schema}"
Threshold = Annotated[float, Query(ge=0.5, le=1)]


@router.get(ONE + "/suggestions/outcomes", response=list[SuggestionOutcomesOut])
@allow("label.read")
def list_suggestion_outcomes(request: ApiRequest, project: str, label_schema: str) -> Any:
    """How many suggestions of each model version people kept, changed and threw away; the newest first."""
    return read.outcomes(find_schema(request.project, label_schema))


@router.get(ONE + "/auto-accept", response=AutoAcceptOut)
@allow("label.read")
def get_auto_accept(request: ApiRequest, project: str, label_schema: str, threshold: Threshold | None = None) -> Any:
    """Whether sure suggestions become labels, and how wrong those are by the audit. `threshold`: how many would be sure enough then."""
    announce.announce_waiting()
    return read.auto_accept_out(find_schema(request.project, label_schema), threshold)


@router.put(ONE + "/auto-accept", response={202: AutoAcceptOut})
@allow("label.manage")
def set_auto_accept(request: ApiRequest, project: str, label_schema: str, payload: AutoAcceptIn) -> Any:
    """Turn it on or off; a worker labels what is sure enough at once, and whenever a model has said something new."""
    found = find_schema(request.project, label_schema)
    auto_accept.set_auto_accept(request, found, request.user, payload.model_dump())
    return Status(202, read.auto_accept_out(found))


@router.post(ONE + "/auto-accept/passes/{uuid:auto_pass}/undo", response=AutoAcceptOut)
@allow("label.manage")
def undo_auto_accept(request: ApiRequest, project: str, label_schema: str, auto_pass: UUID) -> Any:
    """What a pass labelled goes back into the queue, but for what a person has confirmed; and it is turned off."""
    found = find_schema(request.project, label_schema)
    auto_accept.undo(request, found, request.user, auto_pass)
    return read.auto_accept_out(found)
