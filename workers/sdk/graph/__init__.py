"""The pipeline graph as pure functions: one normal form, its digest, its order, its YAML, and what is wrong with it.

Everyone who touches a graph (drafts, versions, runs, the command line) uses these, so that all mean the same.
Refuses to do: reading databases or files, importing component bodies, changing its arguments.
"""

from __future__ import annotations

from workers.sdk.graph.check import ComponentLike, DatasetReference, PortLike, check, dataset_references
from workers.sdk.graph.order import CycleError, topological
from workers.sdk.graph.plain import GraphError
from workers.sdk.graph.plan import plan
from workers.sdk.graph.shape import Column, Graph, InputRef, Position, Problem, Step, digest, normalise
from workers.sdk.graph.text import PipelineText, YamlError, from_yaml, to_yaml

__all__ = [
    "Column",
    "ComponentLike",
    "CycleError",
    "DatasetReference",
    "Graph",
    "GraphError",
    "InputRef",
    "PipelineText",
    "PortLike",
    "Position",
    "Problem",
    "Step",
    "YamlError",
    "check",
    "dataset_references",
    "digest",
    "from_yaml",
    "normalise",
    "plan",
    "to_yaml",
    "topological",
]
