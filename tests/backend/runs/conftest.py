"""A project, its people, and the engine's test components in the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend.core.models import Project
from tests.backend.people import Person, person
from tests.workers.engine.studio import plugin


@pytest.fixture(autouse=True)
def _components() -> Iterator[None]:
    with plugin():
        yield


@pytest.fixture
def project(db: None) -> Project:
    return Project.objects.create(slug="lab", name="Lab")


@pytest.fixture
def editor(project: Project) -> Person:
    return person(project, "editor")
