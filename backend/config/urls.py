"""URLs: the API, the static files (whitenoise), and the one page for everything else."""

from __future__ import annotations

from django.urls import path, re_path

from backend.config.api import api
from backend.core.pages import healthz, studio_page

urlpatterns = [
    path("api/v1/", api.urls),
    path("healthz", healthz),
    re_path(r"^(?!api/|static/|ws/).*$", studio_page),
]
