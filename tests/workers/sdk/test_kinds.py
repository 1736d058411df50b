"""Handles keep what is known of their data on the way through a pipeline."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from workers.sdk import context
from workers.sdk.errors import Cancelled
from workers.sdk.kinds import Images, Metrics, Table


def test_a_corrected_type_survives_the_next_step(tmp_path: Path) -> None:
    with context.local(tmp_path):
        table = pa.table({"plz": [3000, 4051], "town": ["Bern", "Basel"], "when": pa.array([0, 1], pa.timestamp("s")), "ok": [True, None]})
        first = Table.from_arrow(table, types={"plz": "category"}, label_column="town", dataset_versions=["towns@1"])
        assert first.types == {"plz": "category", "town": "category", "when": "datetime", "ok": "boolean"}
        then = Table.from_arrow(table.slice(0, 1).drop_columns(["town"]), like=first)
        assert then.types["plz"] == "category" and then.rows == 1
        assert then.metadata["dataset_versions"] == ["towns@1"] and "label_column" not in then.metadata


def test_many_different_words_are_text(tmp_path: Path) -> None:
    with context.local(tmp_path):
        table = Table.from_arrow(pa.table({"note": [f"note {i}" for i in range(1000)], "kind": ["a", "b"] * 500}))
    assert table.types == {"note": "text", "kind": "category"}


def test_an_artifact_known_by_digest_is_fetched_when_it_is_read(tmp_path: Path) -> None:
    with context.local(tmp_path) as step:
        made = Images.from_arrow(pa.table({"key": ["a"], "digest": ["0"], "width": [1], "height": [1], "label": ["x"], "split": ["train"]}))
        stored = Images(digest=step.store.put_file(made.file()).digest)
        assert stored.count == 1 and stored.labels() == ["x"]
    with pytest.raises(ValueError, match="path or a value"):
        Metrics(path=Path("x"), value={})


def test_a_cancelled_run_stops_the_step_where_it_asks(tmp_path: Path) -> None:
    with context.local(tmp_path) as step:
        step.check_cancelled()
        step.report.stop = True  # type: ignore[attr-defined]
        with pytest.raises(Cancelled):
            step.check_cancelled()
    with pytest.raises(RuntimeError, match="No step is running"):
        context.current()
