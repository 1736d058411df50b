"""Train a model that finds things in a picture and draws boxes around them."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from workers.sdk.component import Seed, component
from workers.sdk.kinds import Images, Metrics, Model


class Trained(NamedTuple):
    model: Annotated[Model, Field(title="Model", description="The trained model.")]
    metrics: Annotated[Metrics, Field(title="Training metrics", description="How well it fits the part it watched while training.")]


@component(resources="gpu", isolate=True, spread=True)
def train_object_detector(
    train: Annotated[Images, Field(title="Training part", description="Pictures with boxes to learn from.")],
    validation: Annotated[
        Images | None,
        Field(
            title="Validation part",
            description="Pictures to choose the best epoch by, if ten or more; a tenth of the training part when nothing is connected.",
        ),
    ] = None,
    *,
    control: Annotated[
        str,
        Field(
            title="Question",
            description="The name of the RectangleLabels whose boxes are learned, where the label schema has several. Empty: all boxes.",
            max_length=200,
        ),
    ] = "",
    size: Annotated[
        int,
        Field(
            description="Side of the square every picture is brought to, in pixels (to the nearest multiple of 32); 0 keeps the "
            "pictures' own shape, up to 256. Small things need a larger size.",
            ge=0,
            le=1024,
        ),
    ] = 0,
    color: Annotated[
        Literal["automatic", "grey", "color"], Field(description="Whether colours matter; automatic looks at the pictures.")
    ] = "automatic",
    augment: Annotated[
        Literal["none", "light", "light and mirror"],
        Field(
            description="Change pictures a little each time, and their boxes with them: shift, size, light. Mirror also flips left "
            "and right: not for digits or text."
        ),
    ] = "light",
    epochs: Annotated[int, Field(description="How often at most the network sees every picture.", ge=1, le=5000)] = 40,
    batch_size: Annotated[
        int, Field(description="Pictures looked at together; fewer where there are few pictures. Fewer need less memory.", ge=2, le=1024)
    ] = 16,
    learning_rate: Annotated[float, Field(description="How far each step moves the weights.", gt=0, le=1)] = 0.003,
    weight_decay: Annotated[float, Field(description="How strongly large weights are held back.", ge=0, le=10)] = 0.01,
    width: Annotated[int, Field(description="Channels of the first layer. More see more and are slower.", ge=4, le=128)] = 16,
    patience: Annotated[int, Field(description="Stop after so many epochs without improvement; 0 for never.", ge=0, le=5000)] = 15,
    name: Annotated[str, Field(description="What to call the model.", min_length=1, max_length=120)] = "Object detector",
    seed: Annotated[int, Seed, Field(description="The same number gives the same model again (on a processor).", ge=0, le=2**31 - 1)] = 0,
) -> Trained:
    """Train an object detector

    Learns from boxes that people drew to find such things in new pictures: where they are, and what. It trains a compact network from
    nothing; a few dozen labelled pictures begin to be useful, hundreds are better. Turned boxes are taken as the upright boxes around them.
    Pictures that nobody labelled are left out; one that was labelled without a box shows that nothing is there. Charts stream while it
    trains, and a killed attempt goes on where it was.
    """
    from workers.training import object_detector

    model, metrics = object_detector.train(
        train,
        validation,
        control=control,
        size=size,
        color=color,
        augment=augment,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        width=width,
        patience=patience,
        name=name,
        seed=seed,
    )
    return Trained(model=model, metrics=metrics)
