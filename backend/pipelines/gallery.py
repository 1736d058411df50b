"""The templates that ship with the studio: one YAML file each in `templates/`, a pipeline like any other with a head of its own.

The head is the text above the line `---`: slug is the file's name; title, summary, modality, and demo (the data the studio can fetch).
Below further lines `---` stand the pipelines that it uses as steps, each with a name: `pipeline:<slug of its name>@1` in the graph means
it, until a project has it (`actions.create`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from django.utils.text import slugify

from backend.core.errors import NotFound
from workers.sdk.graph import Graph, PipelineText, from_yaml
from workers.sdk.graph.nested import PREFIX

FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Template:
    slug: str
    title: str
    summary: str
    modality: str
    demo: str | None
    graph: Graph
    brings: dict[str, PipelineText]
    """The pipelines it uses as steps, by how its graph names them; one that uses another stands after it."""


@cache
def templates() -> dict[str, Template]:
    """All, in the order of the gallery (`order` in the head). A template that is wrong fails here, and so in the tests."""
    found: list[tuple[int, Template]] = []
    for file in sorted(FOLDER.glob("*.yaml")):
        head_text, body, *inner = file.read_text(encoding="utf-8").split("\n---\n")
        head = yaml.safe_load(head_text)
        order = int(head.pop("order"))
        brings = {f"{PREFIX}{slugify(text.name)}@1": text for text in map(from_yaml, inner)}
        found.append((order, Template(slug=file.stem, demo=head.pop("demo", None), graph=from_yaml(body).graph, brings=brings, **head)))
    return {template.slug: template for _, template in sorted(found, key=lambda pair: pair[0])}


def template(slug: str) -> Template:
    if slug not in templates():
        raise NotFound(what="template", name=slug)
    return templates()[slug]
