"""URLs: the API, Label Studio's API, the static files (whitenoise), one-time links, artifacts for joined hosts, the page for the rest."""

from __future__ import annotations

from django.urls import path, re_path

import backend.labelstudio.api  # noqa: F401 - fills the table of its routes
from backend.config import celery  # noqa: F401 - makes it the app that announces tasks
from backend.config.api import api
from backend.core.pages import healthz, sign_in_link, studio_page
from backend.labelstudio.routes import urlpatterns as labelstudio
from backend.runs.hosts.blobs import blob

handler500 = "backend.core.middleware.server_error"
urlpatterns = [
    path("api/v1/", api.urls),
    path("healthz", healthz),
    path("link/<str:secret>", sign_in_link),
    re_path(r"^hosts/v1/blobs/(?P<digest>[0-9a-f]{64})$", blob),
    *labelstudio(),
    re_path(r"^(?!api/|static/|ws/).*$", studio_page),
]
