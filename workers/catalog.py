"""Finds every component: one file each under `workers/components/<stage>/`, and those of installed plug-ins.

Importing a component file must be cheap (heavy imports go inside the function's body), so that the web process can load the catalogue.
A plug-in names modules (or components) in the entry-point group `headrace.components`.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from workers import components as _components
from workers.sdk.component import Component
from workers.sdk.errors import ComponentDefinitionError
from workers.sdk.kinds import KINDS, Artifact

log = logging.getLogger(__name__)

STAGES: list[dict[str, str]] = [
    {"name": "data", "title": "Data", "help": "Read, choose, clean and split."},
    {"name": "label", "title": "Label", "help": "Bring people's and models' labels in."},
    {"name": "features", "title": "Features", "help": "Turn columns into what models can use."},
    {"name": "train", "title": "Train", "help": "Fit a model."},
    {"name": "evaluate", "title": "Evaluate", "help": "See how good it is, and for whom."},
    {"name": "publish", "title": "Publish", "help": "Register and deploy."},
    {"name": "flow", "title": "Flow", "help": "Branch, join, ask a person, and use pipelines in pipelines."},
    {"name": "monitor", "title": "Monitor", "help": "Watch what is deployed."},
    {"name": "llm", "title": "Language models", "help": "Prompts, retrieval, fine-tuning."},
]


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """All that a pipeline can be built from."""

    components: dict[str, Component]
    kinds: dict[str, type[Artifact]]
    stages: list[dict[str, str]]


@cache
def load() -> Catalog:
    """The catalogue, found once a process. A plug-in that does not load is left out and logged; our own must load."""
    found: dict[str, Component] = {}
    order = [s["name"] for s in STAGES]
    root = Path(next(iter(_components.__path__)))
    for file in sorted(root.glob("*/*.py"), key=lambda f: (order.index(f.parent.name) if f.parent.name in order else 99, f.name)):
        if file.name.startswith("_"):
            continue
        module = importlib.import_module(f"{_components.__name__}.{file.parent.name}.{file.stem}")
        one = getattr(module, file.stem, None)
        if not isinstance(one, Component):
            raise ComponentDefinitionError(f"{file.parent.name}/{file.name}: it must define a component named {file.stem}")
        found[one.name] = one
    for point in importlib.metadata.entry_points(group="headrace.components"):
        try:
            loaded = point.load()
        except Exception:
            log.exception("The plug-in %s did not load; its components are left out", point.value)
            continue
        for one in [loaded] if isinstance(loaded, Component) else [v for v in vars(loaded).values() if isinstance(v, Component)]:
            if one.name in found:
                log.error("The plug-in %s brings a component named %s, which there is already; it is left out", point.value, one.name)
            else:
                found[one.name] = one
    return Catalog(components=found, kinds=dict(KINDS), stages=[dict(s) for s in STAGES])
