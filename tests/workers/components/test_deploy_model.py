"""Deploying a registered version."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workers.components.conftest import Studio
from workers.sdk.errors import ParameterError, StepError
from workers.sdk.kinds import ModelVersion


def test_the_version_goes_behind_the_endpoint(run: Any, studio: Studio) -> None:
    endpoint = run("deploy_model", {"model_version": ModelVersion.of({"model": "tumours", "version": 3})}, endpoint="clinic")["endpoint"]
    assert (
        studio.asked == [{"deploy": "tumours@3", "endpoint": "clinic"}] and endpoint.value["endpoint"] == "clinic" and endpoint.value["url"]
    )
    with pytest.raises(StepError, match="no such operator"):
        run("deploy_model", {"model_version": ModelVersion.of({"model": "broken", "version": 1})})
    with pytest.raises(ParameterError):
        run("deploy_model", {"model_version": ModelVersion.of({"model": "tumours", "version": 3})}, endpoint="Not A Slug")
