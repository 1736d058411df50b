"""ASGI entry: Django for HTTP, `realtime` for sockets."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
django.setup(set_prefix=False)

from channels.auth import AuthMiddlewareStack  # noqa: E402 - Django must be set up before these imports
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - as above

from backend.core.handler import Handler  # noqa: E402 - as above
from backend.realtime.origin import SameOrigin  # noqa: E402 - as above
from backend.realtime.routing import routes  # noqa: E402 - as above

application = ProtocolTypeRouter({"http": Handler(), "websocket": SameOrigin(AuthMiddlewareStack(URLRouter(routes)))})
