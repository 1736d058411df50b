"""Reading images of a data set version."""

from __future__ import annotations

from typing import Any

from tests.workers.components.conftest import Studio
from workers.sdk.context import Context
from workers.sdk.kinds import Images


def test_images_come_with_their_labels(run: Any, step: Context, studio: Studio, digits: Images) -> None:
    digest = step.store.put_file(digits.file()).digest
    studio.manifests["digits", 1] = {
        "dataset": "digits",
        "version": 1,
        "modality": "images",
        "digest": digest,
        "kind": "Images",
        "columns": [],
        "label_column": None,
    }
    images = run("read_images", {}, dataset="digits@1")["images"]
    assert images.digest == digest and images.metadata["count"] == 600 and images.metadata["labels"] == [str(i) for i in range(10)]
