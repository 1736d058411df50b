"""Train gradient boosting on rows."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from workers.sdk.component import Column, Seed, component
from workers.sdk.kinds import Metrics, Model, Recipe, Table


class Trained(NamedTuple):
    model: Annotated[Model, Field(title="Model", description="The trained model.")]
    metrics: Annotated[Metrics, Field(title="Training metrics", description="How well it fits the part it learned from.")]


@component()
def train_boosting(
    train: Annotated[Table, Field(title="Training part", description="The rows to learn from.")],
    validation: Annotated[Table | None, Field(title="Validation part", description="Rows to watch, and to stop early by.")] = None,
    recipe: Annotated[
        Recipe | None, Field(description="How to prepare the columns; a sensible one is made when nothing is connected.")
    ] = None,
    *,
    target: Annotated[
        str,
        Column("train"),
        Field(description="The column to predict. Empty: the one chosen in Prepare features, or the data set's label."),
    ] = "",
    task: Annotated[
        Literal["automatic", "classification", "regression"],
        Field(description="Predict a class or a number; automatic looks at the target."),
    ] = "automatic",
    trees: Annotated[int, Field(description="At most this many trees, one after the other.", ge=1, le=20_000)] = 500,
    learning_rate: Annotated[float, Field(description="How much each tree may correct. Smaller needs more trees.", gt=0, le=1)] = 0.05,
    leaves: Annotated[int, Field(description="How many answers a tree can give. More fits finer detail.", ge=2, le=4096)] = 31,
    smallest_leaf: Annotated[int, Field(description="A tree's answer rests on at least this many rows.", ge=1, le=100_000)] = 20,
    rows_share: Annotated[float, Field(description="Share of the rows each tree sees.", gt=0, le=1)] = 0.9,
    features_share: Annotated[float, Field(description="Share of the features each tree sees.", gt=0, le=1)] = 0.8,
    regularisation: Annotated[float, Field(description="How strongly large answers are held back.", ge=0, le=1e6)] = 1.0,
    patience: Annotated[
        int, Field(description="With a validation part: stop after so many trees without improvement; 0 for never.", ge=0, le=10_000)
    ] = 50,
    balance_classes: Annotated[bool, Field(description="Give rare classes more weight.")] = False,
    positive_label: Annotated[
        str, Field(description="With two classes: the one that is looked for. Empty: the rarer one.", max_length=200)
    ] = "",
    name: Annotated[str, Field(description="What to call the model.", min_length=1, max_length=120)] = "Gradient boosting",
    seed: Annotated[int, Seed, Field(description="The same number gives the same model again.", ge=0, le=2**31 - 1)] = 0,
) -> Trained:
    """Train gradient boosting

    Grows trees one after the other, each correcting those before it (LightGBM). Usually the best model for tables; can do with missing
    numbers.
    """
    import numpy as np

    from workers.sdk import context
    from workers.training import lightgbm
    from workers.training.onnx_graph import trees_of_lightgbm, write_classes, write_value
    from workers.training.tabular import prepare, publish

    step = context.current()
    boosting = lightgbm.load()
    job = prepare(
        train, validation, recipe, target=target, task=task, positive_label=positive_label, balance=balance_classes, style="boosting"
    )
    classify = job.target.task == "classification"
    outputs = job.classes if job.classes > 2 else 1
    measure = "rmse" if not classify else "multi_logloss" if outputs > 1 else "binary_logloss"
    settings = {
        "objective": "regression" if not classify else "multiclass" if outputs > 1 else "binary",
        "metric": measure,
        "learning_rate": learning_rate,
        "num_leaves": leaves,
        "min_data_in_leaf": min(smallest_leaf, max(1, len(job.y) // 4)),
        "bagging_fraction": rows_share,
        "bagging_freq": 1 if rows_share < 1 else 0,
        "feature_fraction": features_share,
        "lambda_l2": regularisation,
        "seed": seed,
        "num_threads": step.threads,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
        **({"num_class": outputs} if outputs > 1 else {}),
    }

    def watch(state):  # type: ignore[no-untyped-def]
        step.check_cancelled()
        number = state.iteration + 1
        if number % 10 == 0 or number == trees:
            for part, _, value, _ in state.evaluation_result_list:
                step.metric(f"{part} {'loss' if classify else 'error'}", value, number)
            step.progress(0.9 * number / trees, f"{number} of at most {trees} trees")

    data = boosting.Dataset(job.x, job.y, weight=job.weights, free_raw_data=False)
    parts, names = [data], ["training"]
    if job.x_validation is not None:
        parts, names = [*parts, boosting.Dataset(job.x_validation, job.y_validation, reference=data)], [*names, "validation"]
    calls = [watch]
    if patience and job.x_validation is not None:
        calls.append(_stop_early(boosting, patience))
    booster = boosting.train(settings, data, num_boost_round=trees, valid_sets=parts, valid_names=names, callbacks=calls)
    best = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
    step.log(f"{best} trees are used.")

    def answer(x):  # type: ignore[no-untyped-def]
        found = booster.predict(x, num_iteration=best)
        if not classify:
            return found.reshape(-1, 1)
        return found if outputs > 1 else np.stack([1 - found, found], axis=1)

    def write(graph, features):  # type: ignore[no-untyped-def]
        scores = trees_of_lightgbm(booster, outputs, best).write(graph, features)
        write_classes(graph, scores, job.classes, outputs) if classify else write_value(graph, scores)

    model, metrics = publish(
        job,
        name=name,
        framework="lightgbm",
        method=f"gradient boosting with {best} trees",
        answer=answer,
        write=write,
        parameters={
            "trees": best,
            "learning_rate": learning_rate,
            "leaves": leaves,
            "smallest_leaf": smallest_leaf,
            "rows_share": rows_share,
            "features_share": features_share,
            "regularisation": regularisation,
            "patience": patience,
            "balance_classes": balance_classes,
            "seed": seed,
        },
    )
    return Trained(model=model, metrics=metrics)


def _stop_early(boosting, patience):  # type: ignore[no-untyped-def]
    """LightGBM's own early stopping also looks at the training part; only the validation part may decide."""
    best = {"value": float("inf"), "at": 0}

    def look(state):  # type: ignore[no-untyped-def]
        value = next(v for part, _, v, _ in state.evaluation_result_list if part == "validation")
        if value < best["value"]:
            best.update(value=value, at=state.iteration)
        elif state.iteration - best["at"] >= patience:
            raise boosting.callback.EarlyStopException(best["at"], state.evaluation_result_list)

    look.order = 30  # type: ignore[attr-defined]  # how LightGBM sorts its callbacks
    return look
