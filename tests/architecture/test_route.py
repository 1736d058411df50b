"""The route is the architecture: what a linter of imports cannot see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

ROOT = Path(__file__).resolve().parents[2]
ROUTE = [
    "core", "artifacts", "datasets", "labeling", "labelstudio", "pipelines", "runs", "registry", "deployments", "similarity", "learning",
    "monitoring", "governance",
]  # fmt: skip
"""DESIGN §1. An app may point at itself and at those before it."""
ELSEWHERE = {"config", "realtime"}
"""Packages of the backend that have no tables and no place on the route."""
HEAVY = ("torch", "sklearn", "pandas", "transformers", "lightgbm", "onnx", "onnxruntime", "scipy", "plotly")


def ours() -> list[type[models.Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model.__module__.startswith("backend.")]


def test_every_app_has_its_place_on_the_route() -> None:
    found = {path.parent.name for path in (ROOT / "backend").glob("*/__init__.py")}
    assert found - ELSEWHERE <= set(ROUTE), "a new app needs its place in ROUTE, in pyproject.toml and in the design"


@pytest.mark.parametrize("model", ours(), ids=lambda m: m._meta.label)
def test_foreign_keys_point_down_the_route(model: type[models.Model]) -> None:
    here = ROUTE.index(model._meta.app_label)
    for field in model._meta.get_fields():
        if not field.is_relation or field.auto_created or field.related_model is None:
            continue
        target = field.related_model._meta
        if target.app_label in ROUTE:
            assert ROUTE.index(target.app_label) <= here, f"{model._meta.label}.{field.name} points up, at {target.label}"


@pytest.mark.parametrize("app", [name for name in ROUTE if (ROOT / "backend" / name).is_dir()])
def test_every_app_says_what_it_is_for(app: str) -> None:
    readme = ROOT / "backend" / app / "README.md"
    assert readme.exists(), f"backend/{app}/README.md is missing: what the app is for, what it refuses"


@pytest.mark.parametrize(
    "process",
    [
        pytest.param("import backend.config.asgi; from django.urls import get_resolver; get_resolver().url_patterns", id="web"),
        pytest.param("import infra.supervisor.main", id="supervisor"),
    ],
)
def test_a_process_that_computes_nothing_loads_nothing_heavy(process: str) -> None:
    code = f"{process}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.split() == []


def test_the_predictor_runs_without_django_and_torch() -> None:
    heavy = ("django", "torch", "sklearn", "pandas")
    code = f"import workers.serving.app, workers.serving.model, sys\nprint(*[name for name in {heavy!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.split() == []


def test_the_workers_of_steps_set_no_backend_up_though_the_studio_names_its_settings() -> None:
    """Celery would by itself, wherever `DJANGO_SETTINGS_MODULE` is set, as in every process of a studio: 60 MB for nothing."""
    boot = "import sys, workers.celery, workers.engine.reaper; from celery.signals import worker_init; worker_init.send(None)"
    code = f"{boot}\nprint(*[name for name in ('django.conf', 'django.db', 'backend') if name in sys.modules])"
    settings = {**os.environ, "DJANGO_SETTINGS_MODULE": "backend.config.settings", "HEADRACE_PRELOAD": "0"}
    loaded = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True, env=settings)
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.split() == []


def test_the_bootstrap_needs_the_standard_library_alone() -> None:
    """With `-S -I` no installed package can be imported: what runs before the environment exists must not need one."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import infra.bootstrap, infra.bootstrap.chromium"
    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=False, capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr


def test_the_predictor_asks_for_membership_only_because_every_role_may_predict() -> None:
    """`workers/serving/access.py` cannot read the table of permissions; if it changes, the predictor must ask for roles too."""
    from backend.core.permissions import ACTIONS, EVERYONE

    assert ACTIONS["endpoint.predict"] == EVERYONE
