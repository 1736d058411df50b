"""Socket addresses of `labeling`; `backend.realtime.routing` collects them."""

from __future__ import annotations

from django.urls import path

from backend.labeling.live import ItemConsumer

routes = [path("ws/v1/projects/<slug:project>/label-schemas/<slug:label_schema>/items/<int:item>", ItemConsumer.as_asgi())]
