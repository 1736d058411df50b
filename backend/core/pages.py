"""The one HTML page (the React app mounts in it) and the health check."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie


@ensure_csrf_cookie
def studio_page(request: HttpRequest) -> HttpResponse:
    return render(request, "studio.html")


def healthz(request: HttpRequest) -> HttpResponse:
    """200 when this process answers and the database does too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
