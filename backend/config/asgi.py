"""ASGI entry: Django for HTTP, `realtime` for sockets."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
django_app = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402 - Django must be set up before these imports
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - as above

from backend.realtime.origin import SameOrigin  # noqa: E402 - as above
from backend.realtime.routing import routes  # noqa: E402 - as above

application = ProtocolTypeRouter({"http": django_app, "websocket": SameOrigin(AuthMiddlewareStack(URLRouter(routes)))})
