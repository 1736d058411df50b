"""HTTP of `registry`: routes, schemas, permission; nothing else."""

from typing import Any

from ninja import Router, Status

from backend.core.http import ApiRequest, allow
from backend.core.idempotency import idempotent
from backend.core.schemas import Text
from backend.registry import actions, queries
from backend.registry.schemas import (
    AliasIn,
    ModelOut,
    ModelPatch,
    ModelVersionOut,
    RegisterIn,
)

router = Router(tags=["registry"])


@router.get("/projects/{project}/models", response=list[ModelOut])
@allow("model.read")
def list_models(request: ApiRequest, project: str, search: Text | None = None) -> Any:
    """Models."""
    return queries.list_models(request.project, search)


@router.post("/projects/{project}/models", response={201: ModelVersionOut})
@allow("model.write")
@idempotent()
def register_model(request: ApiRequest, project: str, payload: RegisterIn) -> Any:
    """Register a version; repeats with the same Idempotency-Key answer the same."""
    made = actions.register(
        request.project, request.user, payload.model, payload.artifact, metrics=payload.metrics, parity=payload.parity,
        description=payload.description, aliases=payload.aliases, step_run=request.token.step_run if request.token else None,
    )  # fmt: skip
    return Status(201, queries.version_out(made))


@router.get("/projects/{project}/models/{model}", response=ModelOut)
@allow("model.read")
def get_model(request: ApiRequest, project: str, model: str) -> Any:
    """One model."""
    return queries.get_model(request.project, model)


@router.patch("/projects/{project}/models/{model}", response=ModelOut)
@allow("model.write")
def update_model(request: ApiRequest, project: str, model: str, payload: ModelPatch) -> Any:
    """Describe."""
    actions.describe_model(queries.find(request.project, model), request.user, payload.description)
    return queries.get_model(request.project, model)


@router.get("/projects/{project}/models/{model}/versions", response=list[ModelVersionOut])
@allow("model.read")
def list_model_versions(request: ApiRequest, project: str, model: str) -> Any:
    """Versions, newest first."""
    return queries.list_versions(request.project, model)


@router.get("/projects/{project}/models/{model}/versions/{int:number}", response=ModelVersionOut)
@allow("model.read")
def get_model_version(request: ApiRequest, project: str, model: str, number: int) -> Any:
    """One version."""
    return queries.version_out(queries.find_version(request.project, model, number))


@router.put("/projects/{project}/models/{model}/aliases/{alias}", response=ModelOut)
@allow("model.write")
def set_alias(request: ApiRequest, project: str, model: str, alias: str, payload: AliasIn) -> Any:
    """Point an alias at a version."""
    actions.set_alias(queries.find_version(request.project, model, payload.version), request.user, alias)
    return queries.get_model(request.project, model)


@router.delete("/projects/{project}/models/{model}/aliases/{alias}", response=ModelOut)
@allow("model.write")
def delete_alias(request: ApiRequest, project: str, model: str, alias: str) -> Any:
    """Remove an alias."""
    actions.delete_alias(queries.find(request.project, model), request.user, alias)
    return queries.get_model(request.project, model)
