"""Put a trained model into the registry, after checking that it answers as it did in training."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.sdk.component import ModelName, component
from workers.sdk.kinds import Metrics, Model, ModelVersion


@component(resources="io", cacheable=False, changes=True, undo="withdraw_version")
def register_model(
    model: Annotated[Model, Field(description="The trained model.")],
    metrics: Annotated[Metrics | None, Field(description="Its evaluation, shown beside the version.")] = None,
    *,
    name: Annotated[
        str,
        ModelName,
        Field(title="Model", description="The model's name in the registry; a new version is added to it.", min_length=1, max_length=120),
    ],
    description: Annotated[str, Field(description="What is new in this version.", max_length=5000)] = "",
    aliases: Annotated[
        list[str], Field(description="Names that should point at this version from now on, such as champion.", max_length=20)
    ] = [],
) -> ModelVersion:
    """Register a model

    Adds the model to the registry as a new version. Before that its published form is asked the questions that the original model
    answered in training: if an answer differs by more than 0.0001, it is refused.
    """
    from workers.sdk import context
    from workers.sdk.client import ApiError
    from workers.sdk.errors import StepError
    from workers.training.model_folder import check_parity

    step = context.current()
    parity = check_parity(model)
    step.log(f"Asked {parity['rows']} questions: the largest difference from the original model is {parity['largest_difference']:.1e}.")
    if not parity["largest_difference"] <= parity["tolerance"]:
        raise StepError(
            f"The published model does not answer as the original: the largest difference on {parity['rows']} rows is "
            f"{parity['largest_difference']:.3g}, more than {parity['tolerance']:g}.",
            hint="Train it again; if it happens again, choose another kind of model and tell the studio's makers.",
        )
    manifest = model.manifest()
    evaluated = metrics.json() if metrics is not None else {}
    fingerprint = evaluated.get("model", {}).get("fingerprint")
    if fingerprint and fingerprint != manifest["fingerprint"]:
        step.log("The metrics connected here belong to another model; they are not registered with it.", "warning")
        evaluated = {}
    values = evaluated.get("values") or {k: {"value": v} for k, v in manifest["metrics"].items()}
    digest = model.digest or step.store.put_folder(model.file()).digest
    # What the aliases point at now: a compensation gives them back.
    known: dict[str, int] = next((m["aliases"] for m in step.client.list_models() if m["name"] == name), {}) if aliases else {}
    try:
        made = step.client.register_model(
            model=name, artifact=digest, metrics=values, parity=parity, step=step.step or None, description=description, aliases=aliases
        )
    except ApiError as error:
        if error.status in (400, 403, 404, 409, 422):
            raise StepError(str(error), hint=error.hint) from error
        raise
    step.log(f"Registered as {made['model']}@{made['number']}.")
    told = {"aliases_before": {alias: known.get(alias) for alias in aliases}} if aliases else {}
    return ModelVersion.of({"model": made["model"], "version": made["number"], **told}, name=name)
