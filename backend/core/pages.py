"""The one HTML page (the React app mounts in it), one-time sign-in links, and the health check."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_safe

from backend.core.actions import links, people
from backend.core.models import SignInLink


@require_safe
@never_cache
@ensure_csrf_cookie
def studio_page(request: HttpRequest) -> HttpResponse:
    vite = settings.DJANGO_VITE["default"]
    if not vite["dev_mode"] and not Path(vite["manifest_path"]).is_file():
        return render(
            request,
            "core/notice.html",
            {"title": "The pages are not built", "text": "Start the studio with “manage.py up”, which builds them."},
            status=503,
        )
    return render(request, "studio.html")


@require_GET
@never_cache
def sign_in_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Spend a one-time link: sign in and go where it leads. Only GET: a preview that asks with HEAD does not spend it."""
    link = links.use(secret, SignInLink.Purpose.SIGN_IN)
    if link is None:
        text = "It works once and only for a while. Sign in with your password, have a link sent to you, or make a new one in the terminal."
        response = render(
            request,
            "core/notice.html",
            {
                "title": "This link was used already or has expired",
                "text": text,
                "ways": [("Sign in", "/sign-in"), ("Have a link sent", "/forgotten")],
            },
            status=410,
        )
    else:
        people.begin_session(request, link.user, "link")
        response = HttpResponseRedirect(link.path)
    response["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when this process answers and the database does too."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "the database is away"}, status=503)
    return JsonResponse({"status": "ok"})
