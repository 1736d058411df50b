"""Reading a data set version takes no copy, and keeps the types people corrected."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workers.components.conftest import Studio
from workers.sdk.context import Context
from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


def test_the_versions_own_bytes_come_out(run: Any, step: Context, studio: Studio, wine: Table) -> None:
    digest = step.store.put_file(wine.file()).digest
    columns = [{"name": c["name"], "type": c["type"], "nullable": True} for c in wine.columns]
    studio.manifests["wine", 2] = {
        "dataset": "wine",
        "version": 2,
        "modality": "table",
        "digest": digest,
        "kind": "Table",
        "columns": columns,
        "label_column": "target",
    }
    table = run("read_table", {}, dataset=f"wine@2#{digest}")["table"]
    assert table.digest == digest and table.path is None
    assert table.columns == wine.columns and table.metadata["label_column"] == "target" and table.metadata["dataset_versions"] == ["wine@2"]
    assert table.pandas().equals(wine.pandas())
    for reference, said in (("wine@2#" + "0" * 64, "not what it was"), ("grapes@1", "no data set"), ("wine", "no data set version")):
        with pytest.raises(StepError, match=said):
            run("read_table", {}, dataset=reference)
    with pytest.raises(StepError, match="holds table") as caught:
        run("read_images", {}, dataset="wine@2")
    assert "Read a table" in caught.value.hint
