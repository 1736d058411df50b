"""Splitting images: classes keep their shares, copies stay together."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from workers.sdk.errors import StepError
from workers.sdk.kinds import Images


def test_classes_keep_their_shares_and_copies_stay_in_one_part(run: Any, digits: Images) -> None:
    table = digits.arrow()
    doubled = Images.from_arrow(pa.concat_tables([table, table.slice(0, 100)]))
    made = run("split_images", {"images": doubled}, validation_share=0.1)
    assert sum(part.count for part in made.values()) == 700
    digests = [set(part.arrow()["digest"].to_pylist()) for part in made.values()]
    assert not digests[0] & digests[1] and not digests[0] & digests[2] and not digests[1] & digests[2]
    counts = Counter(run("split_images", {"images": digits})["test"].arrow()["label"].to_pylist())
    assert len(counts) == 10 and max(counts.values()) - min(counts.values()) <= 2


def test_the_data_sets_own_split(run: Any, digits: Images) -> None:
    made = run("split_images", {"images": digits}, method="as given")
    assert made["test"].count == 120 and made["train"].count == 480 and "validation" not in made
    table = digits.arrow()
    unsplit = Images.from_arrow(table.set_column(table.column_names.index("split"), "split", pa.nulls(600, pa.string())))
    with pytest.raises(StepError, match="does not say"):
        run("split_images", {"images": unsplit}, method="as given")
