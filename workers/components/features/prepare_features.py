"""Learn from the training part how to turn its columns into numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from workers.sdk.component import Column, Columns, component
from workers.sdk.kinds import Recipe, Table


@component()
def prepare_features(
    train: Annotated[Table, Field(title="Training part", description="The rows to learn the preparation from.")],
    *,
    target: Annotated[
        str, Column("train"), Field(description="The column to predict; it is kept out of the features. Empty: the data set's label.")
    ] = "",
    leave_out: Annotated[
        list[str],
        Columns("train"),
        Field(
            description="Columns the model must not use, such as names, numbers of customers, or what is only known afterwards.",
            max_length=10_000,
        ),
    ] = [],
    fill_numbers: Annotated[
        Literal["median", "mean", "zero", "keep"],
        Field(description="What stands in for a missing number. keep: leave it missing (only boosting can use that)."),
    ] = "median",
    scale: Annotated[
        Literal["standard", "range", "robust", "none"],
        Field(
            description="Bring numbers to one scale. standard: mean 0, spread 1. range: 0 to 1. robust: by the middle half of the values, "
            "for columns with extremes. Trees do not need it."
        ),
    ] = "standard",
    encode: Annotated[
        Literal["one-hot", "ordinal"],
        Field(
            title="Categories",
            description="one-hot: a yes/no number for each category. ordinal: one number in alphabetical order (for trees).",
        ),
    ] = "one-hot",
    most_categories: Annotated[
        int, Field(description="A column gets at most this many categories; the rarest share one bucket.", ge=1, le=5000)
    ] = 50,
    rare_below: Annotated[
        float,
        Field(title="Rare below", description="Categories seen in a smaller share of the rows than this share one bucket.", ge=0, le=0.5),
    ] = 0.002,
    use_dates: Annotated[
        bool, Field(description="Turn dates into year, month, weekday, hour and so on; otherwise they are not used.")
    ] = True,
    use_texts: Annotated[
        bool,
        Field(
            description="Turn free text, in any language, into numbers that say what it is about; otherwise it is not used. "
            "Of a text the first 10,000 characters are read."
        ),
    ] = True,
    texts: Annotated[
        list[str],
        Columns("train"),
        Field(
            title="Read as text",
            description="Columns to read as free text besides those that look like it (many different values of several words).",
            max_length=10_000,
        ),
    ] = [],
    text_dimensions: Annotated[
        int, Field(title="Numbers a text", description="At most so many numbers are made of each text column.", ge=2, le=1000)
    ] = 128,
) -> Recipe:
    """Prepare features

    Learns from the training part how to fill gaps, scale numbers, encode categories, take dates apart and read texts. Nothing is learned
    from test rows, and the finished model carries this recipe inside it: whoever asks the model gives raw rows.
    """
    from workers.sdk import context
    from workers.sdk.errors import StepError
    from workers.training import recipe as recipes
    from workers.training.target import choose_target

    step = context.current()
    known = train.types
    name = choose_target(train, target, None)
    for field, chosen in (("leave_out", leave_out), ("texts", texts)):
        if unknown := [c for c in chosen if c not in known]:
            raise StepError(f"There is no column “{unknown[0]}” in this table.", hint="It has: " + ", ".join(list(known)[:30]), field=field)
    for column in texts:
        if column == name or column in leave_out:
            why = "it is to be predicted" if column == name else "it is left out too"
            raise StepError(f"“{column}” cannot be read as text: {why}.", hint="Take it out of Read as text.", field="texts")
        if known[column] in {"json", "image"}:
            raise StepError(f"“{column}” holds no text.", hint="Take it out of Read as text.", field="texts")
    learned = recipes.fit(
        train.arrow(),
        known,
        target=name,
        leave_out=leave_out,
        of_files=train.metadata.get("of_files", ()),
        fill=fill_numbers,
        scale=scale,
        encode=encode,
        most_categories=most_categories,
        rare_below=rare_below,
        dates=use_dates,
        free_texts=use_texts,
        as_texts=texts,
        text_dimensions=text_dimensions,
    )
    for left in learned["left_out"]:
        step.log(f"Not used: {left['name']} ({left['why']}).")
    step.log(f"{len(learned['columns'])} columns become {len(learned['features'])} features; “{name}” is the target.")
    return Recipe.of(learned, target=name, columns=len(learned["columns"]), features=len(learned["features"]))
