"""Train a model that finds names, dates and the like in texts."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from workers.sdk.component import Column, Seed, component
from workers.sdk.kinds import Metrics, Model, Table


class Trained(NamedTuple):
    model: Annotated[Model, Field(title="Model", description="The trained model.")]
    metrics: Annotated[Metrics, Field(title="Training metrics", description="How well it finds spans in the part it watched.")]


@component(resources="gpu", isolate=True)
def train_span_tagger(
    train: Annotated[Table, Field(title="Training part", description="Texts with labelled spans to learn from.")],
    validation: Annotated[
        Table | None,
        Field(
            title="Validation part",
            description="Texts to stop early by; a tenth of the training part is used when nothing is connected and it has 60 at least.",
        ),
    ] = None,
    *,
    text_column: Annotated[
        str, Column("train"), Field(title="Column with texts", description="Empty: it is found by looking at the table.")
    ] = "",
    spans_column: Annotated[
        str,
        Column("train"),
        Field(
            title="Column with spans",
            description="What a frozen <Labels> gives: lists of start, end and label. Empty: it is found by looking.",
        ),
    ] = "",
    offsets: Annotated[
        Literal["UTF-16 units", "characters"],
        Field(
            title="Places count",
            description="UTF-16 units: as browsers and Label Studio count. characters: as Python, spaCy and Prodigy do. "
            "Only texts with emoji and rare scripts differ.",
        ),
    ] = "UTF-16 units",
    overlaps: Annotated[
        Literal["automatic", "one span a place", "a layer for each label"],
        Field(
            description="Whether spans may overlap. A layer for each label: those of different labels may. One span a place: the "
            "longest is learned, and labels compete. Automatic looks whether any do."
        ),
    ] = "automatic",
    epochs: Annotated[
        int,
        Field(
            description="How often at most the network sees every text; 0 picks 10 to 60, the more the fewer texts there are.",
            ge=0,
            le=1000,
        ),
    ] = 0,
    batch_size: Annotated[
        int, Field(description="Pieces of text looked at together; 0 picks 4 to 16, the fewer the fewer texts there are.", ge=0, le=4096)
    ] = 0,
    learning_rate: Annotated[float, Field(description="How far each step moves the weights.", gt=0, le=1)] = 0.003,
    weight_decay: Annotated[float, Field(description="How strongly large weights are held back.", ge=0, le=10)] = 0.01,
    width: Annotated[int, Field(description="Channels of the network. More see more and are slower.", ge=8, le=1024)] = 96,
    dropout: Annotated[
        float, Field(description="Share left out at random while training; guards against learning by heart.", ge=0, lt=1)
    ] = 0.3,
    patience: Annotated[int, Field(description="Stop after so many epochs without improvement; 0 for never.", ge=0, le=1000)] = 10,
    name: Annotated[str, Field(description="What to call the model.", min_length=1, max_length=120)] = "Span tagger",
    seed: Annotated[int, Seed, Field(description="The same number gives the same model again (on a processor).", ge=0, le=2**31 - 1)] = 0,
) -> Trained:
    """Train a span tagger

    Learns from texts in which people marked names, dates or anything else, in any language, to mark them in new texts. From nothing it
    trains a small network that looks at words, their shapes and endings, and at their neighbours; some hundred labelled texts are a start.
    """
    from workers.training import span_tagger

    model, metrics = span_tagger.train(
        train,
        validation,
        text_column=text_column,
        spans_column=spans_column,
        offsets=offsets,
        overlaps=overlaps,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        width=width,
        dropout=dropout,
        patience=patience,
        name=name,
        seed=seed,
    )
    return Trained(model=model, metrics=metrics)
