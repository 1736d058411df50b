"""Split images into a training, a test and perhaps a validation part."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from workers.sdk.component import Seed, component
from workers.sdk.errors import StepError
from workers.sdk.kinds import Images


class Parts(NamedTuple):
    train: Annotated[Images, Field(title="Training part", description="The pictures the model learns from.")]
    test: Annotated[Images, Field(title="Test part", description="Pictures kept aside to measure the finished model.")]
    validation: Annotated[
        Images | None, Field(title="Validation part", description="Pictures to watch while training; only made when its share is above 0.")
    ]


@component()
def split_images(
    images: Annotated[Images, Field(description="The pictures to split.")],
    *,
    method: Annotated[
        Literal["stratified", "random", "as given"],
        Field(
            description="stratified: every class keeps its share in each part. random: any picture anywhere. "
            "as given: by the split that came with the data set (train, test, validation)."
        ),
    ] = "stratified",
    test_share: Annotated[float, Field(description="Share of the pictures kept aside for testing.", gt=0, lt=1)] = 0.2,
    validation_share: Annotated[float, Field(description="Share of the pictures to watch while training; 0 for none.", ge=0, lt=1)] = 0.0,
    seed: Annotated[int, Seed, Field(description="The same number gives the same split again.", ge=0, le=2**31 - 1)] = 0,
) -> Parts:
    """Split images

    Divides pictures into a part to learn from and a part to test with, and perhaps a third to watch while training. The same picture
    twice (by its bytes) always stays in one part.
    """
    import numpy as np
    import pyarrow.compute as pc

    from workers.sdk import context
    from workers.training.split import assign

    if test_share + validation_share >= 1:
        raise StepError(
            "The test and validation shares together leave nothing to learn from.", hint="Their sum must be below 1.", field="test_share"
        )
    table = images.arrow()
    if method == "as given":
        names = {
            "train": "train",
            "training": "train",
            "test": "test",
            "testing": "test",
            "validation": "validation",
            "val": "validation",
            "valid": "validation",
        }
        given = [names.get((v or "").lower()) for v in table["split"].to_pylist()] if "split" in table.column_names else []
        parts: dict[str, Any] = {name: [i for i, v in enumerate(given) if v == name] for name in Parts._fields}
        if not parts["train"] or not parts["test"]:
            raise StepError(
                "The data set does not say which pictures are for training and which for testing.",
                hint="Choose stratified.",
                field="method",
            )
    else:
        # Twins go together: split the different pictures, then give every picture its twin's part.
        code = pc.dictionary_encode(table["digest"].combine_chunks()).indices.to_numpy()
        _, first = np.unique(code, return_index=True)
        if (doubles := len(code) - len(first)) > 0:
            context.current().log(f"{doubles} pictures are copies of others; copies stay in one part.")
        single = table.take(first)
        labels = single["label"] if method == "stratified" else None
        chosen = assign(len(first), labels, method, test_share, validation_share, seed)
        part = np.empty(len(first), dtype=object)
        for name, rows in chosen.items():
            part[rows] = name
        where = part[code]
        parts = {name: np.flatnonzero(where == name) for name in Parts._fields}
    made = {name: Images.from_arrow(table.take(np.asarray(rows)), like=images) if len(rows) else None for name, rows in parts.items()}
    if made["train"] is None or made["test"] is None:
        raise StepError(
            f"{table.num_rows} pictures are too few for this split.", hint="Use more pictures or other shares.", field="test_share"
        )
    return Parts(train=made["train"], test=made["test"], validation=made["validation"])
