"""Real data for the components: scikit-learn's bundled tables, and its scanned digits as PNG files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from sklearn import datasets

from workers import catalog
from workers.sdk import context
from workers.sdk.client import ApiError
from workers.sdk.kinds import Artifact, Images, Table


class Studio:
    """The HTTP API's other end for steps that talk to it: remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.endpoint: Any = {}
        self.aliases: dict[str, int] = {}
        self.manifests: dict[tuple[str, int], dict[str, Any]] = {}

    def get_manifest(self, dataset: str, version: int) -> dict[str, Any]:
        if (dataset, version) not in self.manifests:
            raise ApiError(404, "not_found", f"There is no data set “{dataset}” here.")
        return self.manifests[dataset, version]

    def register_model(self, **fields: Any) -> dict[str, Any]:
        self.asked.append(fields)
        return {"model": fields["model"].lower().replace(" ", "-"), "number": len(self.asked)}

    def list_models(self) -> list[dict[str, Any]]:
        return [{"name": "Tumours", "slug": "tumours", "aliases": self.aliases}]

    def get_model(self, model: str) -> dict[str, Any]:
        return {"slug": model, "aliases": self.aliases}

    def set_alias(self, model: str, alias: str, version: int) -> None:
        self.asked.append(f"{alias} → {version}")

    def delete_alias(self, model: str, alias: str) -> None:
        self.asked.append(f"{alias} removed")

    def get_endpoint(self, endpoint: str) -> dict[str, Any]:
        if isinstance(self.endpoint, Exception):
            raise self.endpoint
        return dict(self.endpoint)

    def rollback(self, endpoint: str) -> dict[str, Any]:
        self.asked.append(f"rollback {endpoint}")
        return {"current": self.endpoint["deployments"][1]}

    def delete_endpoint(self, endpoint: str) -> None:
        self.asked.append(f"delete {endpoint}")

    def deploy(self, model: str, endpoint: str | None = None) -> dict[str, Any]:
        self.asked.append({"deploy": model, "endpoint": endpoint})
        if model.startswith("broken"):
            return {"slug": "broken", "url": "", "status": "failed", "current": {"message": "no such operator"}}
        return {"slug": endpoint or model.partition("@")[0], "url": "http://studio/v1/p/e/predict", "status": "live"}


@pytest.fixture
def studio() -> Studio:
    return Studio()


@pytest.fixture
def step(tmp_path: Path, studio: Studio) -> Iterator[context.Context]:
    with context.local(tmp_path, client=studio) as here:  # type: ignore[arg-type]
        yield here


@pytest.fixture
def run(step: context.Context) -> Any:
    """Call a component as the engine does."""

    def call(name: str, inputs: dict[str, Any], /, **parameters: Any) -> dict[str, Any]:
        return catalog.load().components[name].call(inputs, parameters)

    return call


@pytest.fixture
def cancer(step: context.Context) -> Table:
    """Breast cancer (569 rows, 30 measurements), as it would arrive: gaps, a category, a date."""
    frame = datasets.load_breast_cancer(as_frame=True).frame.rename(columns={"target": "diagnosis"})
    frame["diagnosis"] = np.where(frame["diagnosis"] == 0, "malignant", "benign")
    random = np.random.default_rng(0)
    frame.loc[random.choice(len(frame), 40, replace=False), "mean radius"] = np.nan
    frame["clinic"] = random.choice(["Bern", "Basel", "Zürich", None], len(frame))
    frame["seen"] = pd.Timestamp("2021-03-01 08:00") + pd.to_timedelta(np.arange(len(frame)) * 7, unit="h")
    return Table.from_pandas(frame)


@pytest.fixture
def wine(step: context.Context) -> Table:
    frame = datasets.load_wine(as_frame=True).frame
    frame["target"] = frame["target"].map({0: "barolo", 1: "grignolino", 2: "barbera"})
    return Table.from_pandas(frame)


@pytest.fixture
def diabetes(step: context.Context) -> Table:
    frame = datasets.load_diabetes(as_frame=True, scaled=False).frame
    frame["sex"] = frame["sex"].map({1.0: "a", 2.0: "b"})
    return Table.from_pandas(frame)


@pytest.fixture
def digits(step: context.Context) -> Images:
    """600 scanned digits, 8 × 8, as PNG files in the store."""
    bundle = datasets.load_digits()
    rows = []
    for i, (picture, label) in enumerate(zip(bundle.images[:600], bundle.target[:600], strict=True)):
        file = io.BytesIO()
        Image.fromarray((picture * 15.9).astype(np.uint8)).save(file, "PNG")
        rows.append((f"{label}/{i}.png", step.store.put_bytes(file.getvalue()).digest, 8, 8, str(label), "test" if i % 5 == 0 else "train"))
    return Images.from_arrow(
        pa.table(dict(zip(["key", "digest", "width", "height", "label", "split"], map(list, zip(*rows, strict=True)), strict=True)))
    )


def frame_of(artifact: Artifact) -> pd.DataFrame:
    assert isinstance(artifact, Table)
    return artifact.pandas()
