"""The templates that ship with the studio: one YAML file each in `templates/`, a pipeline like any other with a head of its own.

The head is the text above the line `---`: slug is the file's name; title, summary, modality, and demo (the data the studio can fetch).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from backend.core.errors import NotFound
from workers.sdk.graph import Graph, from_yaml

FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Template:
    slug: str
    title: str
    summary: str
    modality: str
    demo: str | None
    graph: Graph


@cache
def templates() -> dict[str, Template]:
    """All, in the order of the gallery (`order` in the head). A template that is wrong fails here, and so in the tests."""
    found: list[tuple[int, Template]] = []
    for file in sorted(FOLDER.glob("*.yaml")):
        head_text, _, body = file.read_text(encoding="utf-8").partition("\n---\n")
        head = yaml.safe_load(head_text)
        order = int(head.pop("order"))
        found.append((order, Template(slug=file.stem, demo=head.pop("demo", None), graph=from_yaml(body).graph, **head)))
    return {template.slug: template for _, template in sorted(found, key=lambda pair: pair[0])}


def template(slug: str) -> Template:
    if slug not in templates():
        raise NotFound(what="template", name=slug)
    return templates()[slug]
