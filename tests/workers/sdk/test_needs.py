"""What a step says it needs: one normal form, through YAML and back, and into the ledger's queue."""

from __future__ import annotations

from typing import Any

import pytest

from workers.sdk.graph import GraphError, digest, from_yaml, normalise, to_yaml
from workers.sdk.graph.needs import placing, queue_of


def graph(needs: Any) -> dict[str, Any]:
    return {"steps": {"a": {"component": "x", "needs": needs}}}


def test_needs_survive_yaml_and_count_for_the_digest() -> None:
    said = {"labels": {"site": "factory-3", "rack": "2"}, "memory_gb": 16.0, "gpu": 1}
    read = from_yaml(to_yaml(graph(said))).graph
    assert read["steps"]["a"]["needs"] == {"gpu": 1, "memory_gb": 16, "labels": {"rack": "2", "site": "factory-3"}}
    assert digest(read) == digest(graph(said)) != digest(graph(None))
    assert "needs" not in normalise(graph({"labels": {}}))["steps"]["a"], "nothing said is absent"


@pytest.mark.parametrize(
    ("needs", "field"),
    [
        ({"gpus": 1}, "steps.a.needs.gpus"),
        ({"gpu": -1}, "steps.a.needs.gpu"),
        ({"memory_gb": 0}, "steps.a.needs.memory_gb"),
        ({"memory_gb": 0.0004}, "steps.a.needs.memory_gb"),
        ({"memory_gb": True}, "steps.a.needs.memory_gb"),
        ({"labels": {"Site": "x"}}, "steps.a.needs.labels"),
        ({"labels": {"site": "a b"}}, "steps.a.needs.labels.site"),
    ],
)
def test_a_wrong_need_is_named(needs: Any, field: str) -> None:
    with pytest.raises(GraphError) as refused:
        normalise(graph(needs))
    assert refused.value.field == field


def test_the_queue_follows_what_is_said_of_the_gpu() -> None:
    assert queue_of("gpu", None) == "gpu" and queue_of("gpu", {"gpu": 0}) == "cpu" and queue_of("cpu", {"gpu": 2}) == "gpu"
    assert placing({"gpu": 0}) is None and placing({"gpu": 0, "labels": {"a": "b"}}) == {"labels": {"a": "b"}}
