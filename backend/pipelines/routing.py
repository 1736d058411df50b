"""Socket addresses of `pipelines`; `backend.realtime.routing` collects them."""

from __future__ import annotations

from django.urls import path

from backend.pipelines.live import DraftConsumer

routes = [path("ws/v1/projects/<slug:project>/pipelines/<slug:pipeline>", DraftConsumer.as_asgi())]
