"""Bring a frozen version of a data set into the pipeline, as images."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.sdk.component import DatasetVersionRef, component
from workers.sdk.kinds import Images


@component(resources="io")
def read_images(
    *,
    dataset: Annotated[
        str,
        DatasetVersionRef,
        Field(title="Data set", description="Which data set, and which version of it.", min_length=1, max_length=300),
    ],
) -> Images:
    """Read images

    Brings the pictures of a data set version and their labels into the pipeline. A version never changes, so the same version gives the
    same result.
    """
    from workers.training.datasets import find

    manifest = find(dataset, "Images")
    images = Images(digest=manifest["digest"], metadata={"dataset_versions": [f"{manifest['dataset']}@{manifest['version']}"]})
    images.metadata |= {"labels": images.labels(), "count": images.count}
    return images
