"""The kind of trigger “model registered”: this stage's own, registered with `runs` when the app is ready."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from backend.core.ids import new_id
from backend.registry.models import ModelVersion
from backend.runs.triggers.kind import Kind
from backend.runs.triggers.receive import occurred

NAME = "model_registered"


class Config(BaseModel):
    model: Annotated[
        str | None,
        Field(
            title="Model",
            max_length=60,
            json_schema_extra={"format": "model-choice"},
            description="Only versions of this one. Empty: of any.",
        ),
    ] = None
    alias: Annotated[
        str | None,
        Field(
            title="Alias",
            max_length=40,
            description="Only when a version gets this alias (such as “champion”), at once or later. Empty: when a version is registered.",
        ),
    ] = None


def describe(config: Config) -> str:
    what = f"a version of {config.model or 'any model'}"
    return f"when {what} becomes {config.alias}" if config.alias else f"when {what} is registered"


def matches(config: dict[str, Any], data: dict[str, Any]) -> bool:
    return config.get("model") in (None, "", data["model"]) and (config.get("alias") or None) == data["alias"]


KIND = Kind(
    name=NAME,
    title="Model registered",
    about="When a model version is registered, or gets an alias: evaluate it, publish it.",
    order=50,
    listens="studio",
    config=Config,
    describe=describe,
    matches=matches,
    example={
        "id": "0198",
        "source": "registry",
        "type": NAME,
        "time": "2026-03-01T05:00:00Z",
        "data": {
            "model": "income",
            "version": 3,
            "reference": "income@3",
            "alias": None,
            "metrics": {"roc_auc": 0.91},
            "dataset_versions": ["adult@2"],
        },
    },
)


def told(version: ModelVersion, alias: str | None = None) -> None:
    """A version was registered (`alias` None) or got an alias; in the caller's transaction."""
    model = version.model
    data = {
        "model": model.slug, "version": version.number, "reference": f"{model.slug}@{version.number}", "alias": alias,
        "metrics": {name: figure.get("value") for name, figure in version.metrics.items() if isinstance(figure, dict)},
        "dataset_versions": version.dataset_versions,
    }  # fmt: skip
    run = version.step_run.run_id if version.step_run is not None else None
    # A version is registered once; an alias may come back to it.
    key = f"model_version:{version.pk}" + (f":{alias}:{new_id()}" if alias else "")
    occurred(model.project, NAME, key=key, source=data["reference"], data=data, caused_by=run)
