"""The labelling tests' project."""

from __future__ import annotations

from tests.backend.labeling.conftest import _store, ann, bob, labs, project, rita

__all__ = ["_store", "ann", "bob", "labs", "project", "rita"]
