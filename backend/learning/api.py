"""HTTP of `learning`: routes, schemas, permission; nothing else."""

from typing import Any

from ninja import Router, Status

from backend.core.http import ApiRequest, allow
from backend.labeling.queries.schemas import find_schema
from backend.learning import queries
from backend.learning.actions import loops
from backend.learning.schemas import LoopIn, LoopNowOut

router = Router(tags=["learning"])
LOOP = "/projects/{project}/label-schemas/{label_schema}/loop"


@router.get(LOOP, response=LoopNowOut)
@allow("label.read")
def get_loop(request: ApiRequest, project: str, label_schema: str) -> Any:
    """The loop of a label schema with its rounds and its learning curve, beside the one of random order."""
    return queries.loop_now(find_schema(request.project, label_schema))


@router.put(LOOP, response={202: LoopNowOut})
@allow("label.manage")
def start_loop(request: ApiRequest, project: str, label_schema: str, payload: LoopIn) -> Any:
    """Begin it, let it go on, or change it: after so many new labels a model is trained on them and suggests the next ones."""
    found = find_schema(request.project, label_schema)
    loops.start(request, found, request.user, request.role, payload.model_dump())
    return Status(202, queries.loop_now(found))


@router.delete(LOOP, response=LoopNowOut)
@allow("label.manage")
def stop_loop(request: ApiRequest, project: str, label_schema: str) -> Any:
    """End it; models, suggestions and the curve stay."""
    found = find_schema(request.project, label_schema)
    loops.stop(request, found, request.user)
    return queries.loop_now(found)
