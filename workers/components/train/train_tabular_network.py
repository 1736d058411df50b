"""Train a neural network on rows."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from workers.sdk.component import Column, Seed, component
from workers.sdk.kinds import Metrics, Model, Recipe, Table


class Trained(NamedTuple):
    model: Annotated[Model, Field(title="Model", description="The trained model.")]
    metrics: Annotated[Metrics, Field(title="Training metrics", description="How well it fits the part it learned from.")]


@component(isolate=True)
def train_tabular_network(
    train: Annotated[Table, Field(title="Training part", description="The rows to learn from.")],
    validation: Annotated[
        Table | None,
        Field(
            title="Validation part", description="Rows to stop early by; a tenth of the training part is used when nothing is connected."
        ),
    ] = None,
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
    layers: Annotated[
        list[Annotated[int, Field(ge=1, le=8192)]],
        Field(description="How many neurons each hidden layer has.", min_length=1, max_length=12),
    ] = [128, 64],
    dropout: Annotated[
        float, Field(description="Share of the neurons left out at random while training; guards against learning by heart.", ge=0, lt=1)
    ] = 0.1,
    epochs: Annotated[int, Field(description="How often at most the network sees every row.", ge=1, le=10_000)] = 40,
    batch_size: Annotated[int, Field(description="Rows looked at together.", ge=2, le=65_536)] = 256,
    learning_rate: Annotated[float, Field(description="How far each step moves the weights.", gt=0, le=1)] = 0.003,
    weight_decay: Annotated[float, Field(description="How strongly large weights are held back.", ge=0, le=10)] = 0.01,
    patience: Annotated[int, Field(description="Stop after so many epochs without improvement; 0 for never.", ge=0, le=1000)] = 8,
    balance_classes: Annotated[bool, Field(description="Give rare classes more weight.")] = False,
    positive_label: Annotated[
        str, Field(description="With two classes: the one that is looked for. Empty: the rarer one.", max_length=200)
    ] = "",
    name: Annotated[str, Field(description="What to call the model.", min_length=1, max_length=120)] = "Tabular network",
    seed: Annotated[int, Seed, Field(description="The same number gives the same model again.", ge=0, le=2**31 - 1)] = 0,
) -> Trained:
    """Train a tabular network

    A neural network of dense layers. Worth a try on large tables; needs more rows and more care than trees. Metrics stream while it
    trains, and a killed attempt goes on where it was.
    """
    import numpy as np
    import torch

    from workers.training import loop
    from workers.training.networks import dense, folded
    from workers.training.onnx_graph import write_classes, write_dense, write_value
    from workers.training.tabular import prepare, publish

    job = prepare(
        train, validation, recipe, target=target, task=task, positive_label=positive_label, balance=balance_classes, style="linear"
    )
    classify = job.target.task == "classification"
    middle, spread = (0.0, 1.0) if classify else (float(job.y.mean()), float(job.y.std()) or 1.0)

    def examples(x, y, weights=None):  # type: ignore[no-untyped-def]
        goal = torch.from_numpy(y) if classify else torch.from_numpy(((y - middle) / spread).astype(np.float32))
        return loop.Examples(x=x, y=goal, weights=torch.from_numpy(weights.astype(np.float32)) if weights is not None else None)

    chosen = np.ones(len(job.y), dtype=bool)
    if job.x_validation is None and len(job.y) >= 50:
        chosen[np.random.default_rng(seed).permutation(len(job.y))[: max(1, len(job.y) // 10)]] = False
    held = examples(job.x_validation, job.y_validation) if job.x_validation is not None else examples(job.x[~chosen], job.y[~chosen])
    learn = examples(job.x[chosen], job.y[chosen], job.weights[chosen] if job.weights is not None else None)
    torch.manual_seed(seed)
    network = dense(job.x.shape[1], layers, job.classes if classify else 1, dropout)
    plan = loop.Plan(
        epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay, patience=patience, seed=seed
    )
    outcome = loop.fit(
        network,
        learn,
        held if len(held) else None,
        plan,
        loss_of=loop.classify_loss() if classify else loop.value_loss,
        quality_of=loop.classify_quality
        if classify
        else lambda out, y: {"rmse": float((out.squeeze(1) - y).square().mean().sqrt() * spread)},
    )

    def answer(x):  # type: ignore[no-untyped-def]
        with torch.inference_mode():
            found = torch.cat([network(part) for part in torch.from_numpy(x).split(8192)])
            return torch.softmax(found, dim=1).numpy() if classify else found.double().numpy() * spread + middle

    def write(graph, features):  # type: ignore[no-untyped-def]
        found = write_dense(graph, features, folded(network))
        if classify:
            write_classes(graph, found, job.classes, job.classes)
        else:
            exact = graph.node("Mul", [graph.cast(found, "float64"), graph.constant(np.array([[spread]]))])
            write_value(graph, graph.node("Add", [exact, graph.constant(np.array([[middle]]))]))

    model, metrics = publish(
        job,
        name=name,
        framework="torch",
        method=f"a neural network ({' - '.join(map(str, layers))}), best epoch {outcome.best}",
        answer=answer,
        write=write,
        parameters={
            "layers": layers,
            "dropout": dropout,
            "epochs": outcome.epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "weight_decay": weight_decay,
            "patience": patience,
            "balance_classes": balance_classes,
            "seed": seed,
        },
    )
    return Trained(model=model, metrics=metrics)
