"""A part of the data instead of all of it, for a dry run: the same rows every time for the same seed.

Pure but for the file it writes. Rows keep their order.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from workers.sdk.kinds import Images, Table

if TYPE_CHECKING:
    from workers.sdk.kinds import Artifact

How = Literal["stratified", "random", "head"]
MOST_ROWS = 1_000_000


def cut(handle: Artifact, sample: Mapping[str, Any]) -> Artifact:
    """`sample` is {rows, how, seed}. What has no more rows than that, or no rows at all, stays as it is."""
    if not isinstance(handle, Table | Images):
        return handle
    whole = handle.arrow()
    wanted = int(sample["rows"])
    if whole.num_rows <= wanted:
        return handle
    label = "label" if isinstance(handle, Images) else handle.metadata.get("label_column")
    if sample["how"] == "head":
        chosen = list(range(wanted))
    elif sample["how"] == "stratified" and label in whole.column_names:
        chosen = stratified(whole[label].to_pylist(), wanted, int(sample["seed"]))
    else:
        chosen = sorted(_chance(int(sample["seed"])).sample(range(whole.num_rows), wanted))
    part = whole.take(chosen)
    return type(handle).from_arrow(part, like=handle)  # type: ignore[arg-type]  # its own kind


def stratified(labels: Sequence[Any], wanted: int, seed: int) -> list[int]:
    """Places of `wanted` rows in which each label has its share (largest remainders), and where there is room at least one."""
    places: dict[Any, list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        places[label].append(place)
    if len(places) > wanted:  # a number, or a text that is different in every row: no classes
        return sorted(_chance(seed).sample(range(len(labels)), wanted))
    exact = {label: wanted * len(found) / len(labels) for label, found in places.items()}
    counts = {label: max(1, int(share)) for label, share in exact.items()}
    order = sorted(places, key=lambda label: (counts[label] - exact[label], str(label)))
    while (missing := wanted - sum(counts.values())) != 0:
        for label in order if missing > 0 else reversed(order):
            if sum(counts.values()) == wanted:
                break
            if missing > 0 and counts[label] < len(places[label]):
                counts[label] += 1
            elif missing < 0 and counts[label] > 1:
                counts[label] -= 1
    chance = _chance(seed)
    return sorted(place for label in sorted(places, key=str) for place in chance.sample(places[label], counts[label]))


def _chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a choice of rows, no secret
