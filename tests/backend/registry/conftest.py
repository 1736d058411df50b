"""A project and its people."""

from __future__ import annotations

import pytest

from backend.core.models import Project
from tests.backend.people import Person, person


@pytest.fixture
def project(db: None) -> Project:
    return Project.objects.create(slug="lab", name="Lab")


@pytest.fixture
def editor(project: Project) -> Person:
    return person(project, "editor")


@pytest.fixture
def owner(project: Project) -> Person:
    return person(project, "owner")


@pytest.fixture
def viewer(project: Project) -> Person:
    return person(project, "viewer")
