"""User-written code as components: what a graph may name as `code:slug@version`, beside the catalogue's own."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db.models import Q

from backend.core.models import Project
from backend.pipelines.models import CodeVersion
from workers.sdk.graph.code import PREFIX, Code, of_spec

REFERENCE = re.compile(re.escape(PREFIX) + r"(?P<slug>[a-z0-9]+(?:-[a-z0-9]+)*)@(?P<version>[1-9]\d{0,8})")
OFFERED = 200
"""So many are offered in the palette, newest first."""


def code_for(project: Project, names: Iterable[str]) -> dict[str, Code]:
    """Those of `names` that there are, in one query. Deleted code is not there."""
    match = Q(pk__in=[])
    for name in set(names):
        if parts := REFERENCE.fullmatch(name):
            match |= Q(component__slug=parts["slug"], number=int(parts["version"]))
    if match == Q(pk__in=[]):
        return {}
    found = CodeVersion.objects.filter(match, component__project=project, component__deleted_at=None).select_related("component")
    return {name_of(version): code_of(version) for version in found}


def offered_code(project: Project) -> list[Code]:
    """The newest version of each: the palette's “Code”."""
    latest = (
        CodeVersion.objects.filter(component__project=project, component__deleted_at=None)
        .select_related("component")
        .order_by("component_id", "-number")
        .distinct("component_id")
    )
    return [code_of(v) for v in sorted(latest, key=lambda v: v.created_at, reverse=True)[:OFFERED]]


def name_of(version: CodeVersion) -> str:
    return f"{PREFIX}{version.component.slug}@{version.number}"


def code_of(version: CodeVersion) -> Code:
    return of_spec(name_of(version), version.source, version.spec)
