"""Static files under ASGI: whitenoise hands out files as synchronous iterators, which Django would read whole in a thread, with a
warning for each. Our files are small and few, so they are read at once and the answer is an ordinary one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # whitenoise has no types
    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponseBase:
        answer = static_file.get_response(request.method, request.META)
        content = b""
        if answer.file is not None:
            with answer.file as file:
                content = file.read()
        response = HttpResponse(content, status=int(answer.status))
        del response["Content-Type"]  # whitenoise knows better, and a 304 has none
        for key, value in answer.headers:
            response[key] = value
        return response
