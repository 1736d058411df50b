"""Train a linear model on rows."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from workers.sdk.component import Column, Seed, component
from workers.sdk.kinds import Metrics, Model, Recipe, Table


class Trained(NamedTuple):
    model: Annotated[Model, Field(title="Model", description="The trained model.")]
    metrics: Annotated[Metrics, Field(title="Training metrics", description="How well it fits the part it learned from.")]


@component()
def train_linear(
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
    regularisation: Annotated[
        float,
        Field(description="How strongly large weights are held back; 0 for not at all. More is steadier with many columns.", ge=0, le=1e6),
    ] = 1.0,
    iterations: Annotated[
        int, Field(description="Give up searching for the best weights after this many steps.", ge=10, le=100_000)
    ] = 1000,
    balance_classes: Annotated[bool, Field(description="Give rare classes more weight.")] = False,
    positive_label: Annotated[
        str, Field(description="With two classes: the one that is looked for. Empty: the rarer one.", max_length=200)
    ] = "",
    name: Annotated[str, Field(description="What to call the model.", min_length=1, max_length=120)] = "Linear model",
    seed: Annotated[int, Seed, Field(description="The same number gives the same model again.", ge=0, le=2**31 - 1)] = 0,
) -> Trained:
    """Train a linear model

    Weighs every feature and adds them up: logistic regression for classes, linear regression (ridge, when regularised) for numbers.
    Quick and easy to explain; the baseline every other model must beat.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

    from workers.sdk import context
    from workers.training.onnx_graph import write_classes, write_linear, write_value
    from workers.training.tabular import prepare, publish

    step = context.current()
    job = prepare(
        train, validation, recipe, target=target, task=task, positive_label=positive_label, balance=balance_classes, style="linear"
    )
    classify = job.target.task == "classification"
    step.check_cancelled()
    step.progress(0.1, "Fitting")
    x = job.x.astype("float64")
    if classify:
        strength = 1.0 / regularisation if regularisation > 0 else float("inf")
        estimator = LogisticRegression(C=strength, max_iter=iterations, random_state=seed)
        method = "logistic regression"
    else:
        estimator = Ridge(alpha=regularisation, random_state=seed) if regularisation > 0 else LinearRegression()
        method = "ridge regression" if regularisation > 0 else "linear regression"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(x, job.y, sample_weight=job.weights)
    if classify and estimator.n_iter_.max() >= iterations:
        step.log("The search for the best weights was not finished: raise Iterations, or scale the numbers in Prepare features.", "warning")

    def write(graph, features):  # type: ignore[no-untyped-def]
        weights = estimator.coef_.reshape(-1, x.shape[1]).T
        scores = write_linear(graph, features, weights, estimator.intercept_)
        write_classes(graph, scores, job.classes, weights.shape[1]) if classify else write_value(graph, scores)

    model, metrics = publish(
        job,
        name=name,
        framework="scikit-learn",
        method=method,
        write=write,
        parameters={"regularisation": regularisation, "iterations": iterations, "balance_classes": balance_classes, "seed": seed},
        answer=lambda x: (
            estimator.predict_proba(x.astype("float64")) if classify else estimator.predict(x.astype("float64")).reshape(-1, 1)
        ),
        limits="- It adds up effects: what matters only in combination it cannot see.",
    )
    return Trained(model=model, metrics=metrics)
