"""Train a model that tells what is in a picture."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from workers.sdk.component import Seed, component
from workers.sdk.kinds import Images, Metrics, Model


class Trained(NamedTuple):
    model: Annotated[Model, Field(title="Model", description="The trained model.")]
    metrics: Annotated[Metrics, Field(title="Training metrics", description="How well it fits the part it watched while training.")]


@component(resources="gpu", isolate=True, spread=True)
def train_image_classifier(
    train: Annotated[Images, Field(title="Training part", description="Labelled pictures to learn from.")],
    validation: Annotated[
        Images | None,
        Field(
            title="Validation part",
            description="Pictures to stop early by; a tenth of the training part is used when nothing is connected, if ten or more.",
        ),
    ] = None,
    *,
    checkpoint: Annotated[
        str,
        Field(
            description="Empty: train a small network from nothing. Otherwise the trained network to start from: the name of a folder "
            "among the studio's checkpoints, or a model on the Hugging Face hub such as google/vit-base-patch16-224.",
            max_length=200,
            pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?)?$",
        ),
    ] = "",
    only_last_layer: Annotated[
        bool, Field(description="With a checkpoint: keep its network as it is and train only the last layer. Quicker.")
    ] = False,
    size: Annotated[
        int,
        Field(
            description="Side of the square every picture is brought to, in pixels; 0 keeps the pictures' own shape, up to 96.",
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
            description="Change pictures a little each time: turn, shift, size. Mirror also flips left and right: not for digits or text."
        ),
    ] = "light",
    epochs: Annotated[int, Field(description="How often at most the network sees every picture.", ge=1, le=1000)] = 6,
    batch_size: Annotated[int, Field(description="Pictures looked at together. Fewer need less memory.", ge=2, le=4096)] = 64,
    learning_rate: Annotated[
        float,
        Field(description="How far each step moves the weights; 0 picks 0.01 from nothing and 0.0001 from a checkpoint.", ge=0, le=1),
    ] = 0.0,
    weight_decay: Annotated[float, Field(description="How strongly large weights are held back.", ge=0, le=10)] = 0.01,
    width: Annotated[int, Field(description="From nothing: channels of the first layer. More see more and are slower.", ge=4, le=256)] = 16,
    dropout: Annotated[
        float, Field(description="From nothing: share of the last features left out at random while training.", ge=0, lt=1)
    ] = 0.2,
    patience: Annotated[int, Field(description="Stop after so many epochs without improvement; 0 for never.", ge=0, le=1000)] = 5,
    balance_classes: Annotated[bool, Field(description="Give rare classes more weight.")] = False,
    positive_label: Annotated[
        str, Field(description="With two classes: the one that is looked for. Empty: the rarer one.", max_length=200)
    ] = "",
    name: Annotated[str, Field(description="What to call the model.", min_length=1, max_length=120)] = "Image classifier",
    seed: Annotated[int, Seed, Field(description="The same number gives the same model again (on a processor).", ge=0, le=2**31 - 1)] = 0,
) -> Trained:
    """Train an image classifier

    Learns from pictures in folders (one a class) to tell what a new picture shows. From nothing it trains a small convolutional
    network; with a checkpoint it fine-tunes a large one. Charts stream while it trains, and a killed attempt goes on where it was.
    """
    from workers.training import image_classifier

    model, metrics = image_classifier.train(
        train,
        validation,
        checkpoint=checkpoint,
        only_last_layer=only_last_layer,
        size=size,
        color=color,
        augment=augment,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        width=width,
        dropout=dropout,
        patience=patience,
        balance_classes=balance_classes,
        positive_label=positive_label,
        name=name,
        seed=seed,
    )
    return Trained(model=model, metrics=metrics)
