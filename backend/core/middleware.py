"""What every answer gets: a request id, security headers, and our error shape under /api/."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from backend.core import context
from backend.core.errors import BadRequest, HeadraceError, InvalidInput, MethodNotAllowed, PageOutOfDate, RouteNotFound, TooLarge, WentWrong
from backend.core.ids import new_id

log = logging.getLogger("headrace.web")
Next = Callable[[HttpRequest], HttpResponseBase]


def request_context(get_response: Next) -> Next:
    """Gives the request an id (in the answer as `X-Request-Id`, in the log beside a failure) and makes it the current one."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.id = new_id().hex  # type: ignore[attr-defined]  # ours
        entered = context.enter(request)
        try:
            response = get_response(request)
        finally:
            context.leave(entered)
        response["X-Request-Id"] = request.id  # type: ignore[attr-defined]  # set above
        return response

    return middleware


def security_headers(get_response: Next) -> Next:
    """The content security policy and its neighbours, on every answer that has not set its own."""
    policy = content_security_policy()
    permissions = ", ".join(f"{name}=()" for name in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics"))

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", permissions)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def content_security_policy() -> str:
    """Scripts only from this studio's own files, never inline. Styles may be inline: Mantine sets CSS variables through
    `style` elements and attributes, plotly and React Flow position through `style`. Images and workers may be `blob:`
    (previews, plotly's export); `connect-src 'self'` includes the WebSocket of the same origin, which is
    also named in full for browsers that do not think so. Vite's own server is allowed only with HEADRACE_DEBUG and
    HEADRACE_VITE_DEV together."""
    public = urlsplit(settings.PUBLIC_URL)
    socket = f"{'wss' if public.scheme == 'https' else 'ws'}://{public.netloc}"
    rules = {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "media-src": ["'self'", "blob:"],
        "connect-src": ["'self'", socket],
        "worker-src": ["'self'", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
    if settings.DEBUG and settings.DJANGO_VITE["default"]["dev_mode"]:
        port = settings.DJANGO_VITE["default"]["dev_server_port"]
        vite = f"http://localhost:{port}"
        rules["script-src"] += [vite, "'unsafe-inline'"]  # the refresh preamble of @vitejs/plugin-react is inline
        rules["style-src"].append(vite)
        rules["img-src"].append(vite)
        rules["font-src"].append(vite)
        rules["connect-src"] += [vite, f"ws://localhost:{port}"]
    return "; ".join(f"{name} {' '.join(values)}" for name, values in rules.items())


def api_errors(get_response: Next) -> Next:
    """Under /api/ an error is always our JSON, also where Django or ninja answered before or after our code:
    an unknown route, a wrong method, a host that is not ours, a body that is too large."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/"):
            return get_response(request)
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return answer(InvalidInput(message="The address contains a NUL character."))
        response = get_response(request)
        if response.status_code < 400 or response.get("Content-Type", "").startswith("application/json"):
            return response
        error = told(response.status_code, request)
        if error is None:
            return response
        replaced = answer(error)
        for name in ("Allow", "Retry-After"):
            if name in response:
                replaced[name] = response[name]
        replaced.cookies = response.cookies
        return replaced

    return middleware


def told(status: int, request: HttpRequest) -> HeadraceError | None:
    if status == 404:
        return RouteNotFound(path=request.path)
    if status == 405:
        return MethodNotAllowed(method=request.method)
    if status == 413:
        return TooLarge(message="The request is too large.")
    if status >= 500:
        return WentWrong(request_id=getattr(request, "id", ""))
    return BadRequest() if status == 400 else None


def answer(error: HeadraceError) -> JsonResponse:
    response = JsonResponse(error.as_json(), status=error.status)
    if error.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Headrace"'
    if (wait := error.details.get("retry_after")) is not None:
        response["Retry-After"] = str(wait)
    return response


def server_error(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Django's `handler500`: no internals, the id to look for in the log."""
    error = WentWrong(request_id=getattr(request, "id", ""))
    if request.path.startswith("/api/"):
        return answer(error)
    return HttpResponse(f"{error}\n", status=500, content_type="text/plain; charset=utf-8")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's `CSRF_FAILURE_VIEW` (the API checks by itself, in `core.auth`)."""
    return answer(PageOutOfDate())
