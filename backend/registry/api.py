"""HTTP of `registry`: routes, schemas, permission; nothing else."""

from typing import Any

from ninja import Router

from backend.core.http import ApiRequest, allow
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
def list_models(request: ApiRequest, project: str, search: str | None = None) -> Any:
    """Models."""
    raise NotImplementedError


@router.post("/projects/{project}/models", response={201: ModelVersionOut})
@allow("model.write")
def register_model(request: ApiRequest, project: str, payload: RegisterIn) -> Any:
    """Register a version; repeats with the same Idempotency-Key answer the same."""
    raise NotImplementedError


@router.get("/projects/{project}/models/{model}", response=ModelOut)
@allow("model.read")
def get_model(request: ApiRequest, project: str, model: str) -> Any:
    """One model."""
    raise NotImplementedError


@router.patch("/projects/{project}/models/{model}", response=ModelOut)
@allow("model.write")
def update_model(request: ApiRequest, project: str, model: str, payload: ModelPatch) -> Any:
    """Describe."""
    raise NotImplementedError


@router.get("/projects/{project}/models/{model}/versions", response=list[ModelVersionOut])
@allow("model.read")
def list_model_versions(request: ApiRequest, project: str, model: str) -> Any:
    """Versions, newest first."""
    raise NotImplementedError


@router.get("/projects/{project}/models/{model}/versions/{int:number}", response=ModelVersionOut)
@allow("model.read")
def get_model_version(request: ApiRequest, project: str, model: str, number: int) -> Any:
    """One version."""
    raise NotImplementedError


@router.put("/projects/{project}/models/{model}/aliases/{alias}", response=ModelOut)
@allow("model.write")
def set_alias(request: ApiRequest, project: str, model: str, alias: str, payload: AliasIn) -> Any:
    """Point an alias at a version."""
    raise NotImplementedError


@router.delete("/projects/{project}/models/{model}/aliases/{alias}", response=ModelOut)
@allow("model.write")
def delete_alias(request: ApiRequest, project: str, model: str, alias: str) -> Any:
    """Remove an alias."""
    raise NotImplementedError
