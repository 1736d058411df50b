"""Socket addresses of `runs`; `backend.realtime.routing` collects them."""

from __future__ import annotations

from django.urls import path

from backend.runs.hosts.tunnel import Tunnel

routes = [path("ws/v1/hosts/<slug:part>", Tunnel.as_asgi())]
