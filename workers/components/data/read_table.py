"""Bring a frozen version of a data set into the pipeline, as a table."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from workers.sdk.component import DatasetVersionRef, component
from workers.sdk.kinds import Table


@component(resources="io")
def read_table(
    *,
    dataset: Annotated[
        str,
        DatasetVersionRef,
        Field(title="Data set", description="Which data set, and which version of it.", min_length=1, max_length=300),
    ],
) -> Table:
    """Read a table

    Brings the rows of a data set version into the pipeline, or its texts, a row each. A version never changes, so the same version gives
    the same result.
    """
    from workers.training.datasets import find

    manifest = find(dataset, "Table")
    columns = [{"name": c["name"], "type": c["type"]} for c in manifest["columns"]]
    known: dict[str, Any] = {"columns": columns, "dataset_versions": [f"{manifest['dataset']}@{manifest['version']}"]}
    if "rows" in manifest:
        known["rows"] = manifest["rows"]
    if manifest.get("label_column"):
        known["label_column"] = manifest["label_column"]
    if manifest.get("modality") == "text":
        # Whoever asks a model for its opinion of a text has no file.
        known["of_files"] = ["key", "split", "digest", "size"]
    return Table(digest=manifest["digest"], metadata=known)
