"""Which socket address goes to which consumer: the project's own, and those that apps name in their `routing.py`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.urls import path, re_path

from backend.realtime.consumers import ProjectSocket
from backend.realtime.nowhere import Nowhere


def _of_apps() -> list[Any]:
    found: list[Any] = []
    for config in apps.get_app_configs():
        if config.name.startswith("backend.") and config.name != "backend.realtime" and find_spec(f"{config.name}.routing"):
            found += import_module(f"{config.name}.routing").routes
    return found


routes: list[Any] = [path("ws/v1/projects/<slug:project>", ProjectSocket.as_asgi()), *_of_apps(), re_path(r"", Nowhere.as_asgi())]
