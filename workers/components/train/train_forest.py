"""Train a random forest on rows."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from workers.sdk.component import Column, Seed, component
from workers.sdk.kinds import Metrics, Model, Recipe, Table


class Trained(NamedTuple):
    model: Annotated[Model, Field(title="Model", description="The trained model.")]
    metrics: Annotated[Metrics, Field(title="Training metrics", description="How well it fits the part it learned from.")]


@component()
def train_forest(
    train: Annotated[Table, Field(title="Training part", description="The rows to learn from.")],
    validation: Annotated[Table | None, Field(title="Validation part", description="Rows to watch; optional.")] = None,
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
    trees: Annotated[int, Field(description="How many trees vote. More is steadier and slower.", ge=1, le=5000)] = 200,
    depth: Annotated[int, Field(description="How many questions a tree may ask in a row; 0 for no limit.", ge=0, le=100)] = 16,
    smallest_leaf: Annotated[
        int, Field(description="A tree's answer rests on at least this many rows. Larger is smoother.", ge=1, le=100_000)
    ] = 3,
    features_share: Annotated[
        float,
        Field(
            description="Share of the features each question may choose from; 0 picks the usual one (the square root of their number).",
            ge=0,
            le=1,
        ),
    ] = 0.0,
    balance_classes: Annotated[bool, Field(description="Give rare classes more weight.")] = False,
    positive_label: Annotated[
        str, Field(description="With two classes: the one that is looked for. Empty: the rarer one.", max_length=200)
    ] = "",
    name: Annotated[str, Field(description="What to call the model.", min_length=1, max_length=120)] = "Random forest",
    seed: Annotated[int, Seed, Field(description="The same number gives the same model again.", ge=0, le=2**31 - 1)] = 0,
) -> Trained:
    """Train a random forest

    Many decision trees, each grown on a random part of the rows, vote together. Robust, needs little tuning; a good first model for tables.
    """
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    from workers.sdk import context
    from workers.training.onnx_graph import trees_of_forest, write_value
    from workers.training.tabular import prepare, publish

    step = context.current()
    job = prepare(
        train, validation, recipe, target=target, task=task, positive_label=positive_label, balance=balance_classes, style="trees"
    )
    classify = job.target.task == "classification"
    forest = (RandomForestClassifier if classify else RandomForestRegressor)(
        n_estimators=0,
        max_depth=depth or None,
        min_samples_leaf=smallest_leaf,
        max_features=features_share or ("sqrt" if classify else 1.0),
        n_jobs=step.threads,
        random_state=seed,
        warm_start=True,
    )
    # In pieces, so that it can be stopped and tells how far it is; the result is the same as in one go.
    piece = max(1, trees // 20)
    while forest.n_estimators < trees:
        step.check_cancelled()
        forest.n_estimators = min(trees, forest.n_estimators + piece)
        forest.fit(job.x, job.y, sample_weight=job.weights)
        step.progress(0.9 * forest.n_estimators / trees, f"{forest.n_estimators} of {trees} trees")

    def write(graph, features):  # type: ignore[no-untyped-def]
        total = trees_of_forest(forest, job.classes or 1).write(graph, features)
        graph.output(total, "probabilities", "float32", job.classes) if classify else write_value(graph, total)

    model, metrics = publish(
        job,
        name=name,
        framework="scikit-learn",
        method=f"a random forest of {trees} trees",
        write=write,
        parameters={
            "trees": trees,
            "depth": depth,
            "smallest_leaf": smallest_leaf,
            "features_share": features_share,
            "balance_classes": balance_classes,
            "seed": seed,
        },
        answer=forest.predict_proba if classify else lambda x: forest.predict(x).reshape(-1, 1),
    )
    return Trained(model=model, metrics=metrics)
