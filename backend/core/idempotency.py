"""Writes that may be sent twice: with an `Idempotency-Key` header the second gets the first one's answer and does nothing.

    @router.post("/projects/{project}/models", response={201: ModelVersionOut})
    @allow("model.write")
    @idempotent()
    def register_model(request, project, payload): …

The key belongs to the project. The same key with another route or body is refused (409). Only successful answers
are kept: after an error the same key tries again. Repeats at the same time wait for the first. Without the header nothing changes.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from django.db import OperationalError, connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from backend.core.errors import Conflict, InvalidInput
from backend.core.http import ApiRequest
from backend.core.models import IdempotencyKey

F = TypeVar("F", bound=Callable[..., Any])
WAIT_SECONDS = 30
"""How long a repeat waits for the first; longer than any write of the studio may take."""


def idempotent(*, atomic: bool = True) -> Callable[[F], F]:
    """For a function below `@allow`.

    `atomic`: the write and its kept answer are one transaction, so “done” and “answered” cannot come apart. Pass False for a
    write that must commit on the way (it waits for another process to see it); it must then be safe to repeat by itself.
    """

    def wrap(view: F) -> F:
        @functools.wraps(view)
        def inner(request: ApiRequest, *args: Any, **kwargs: Any) -> Any:
            key = request.headers.get("Idempotency-Key", "")
            if not key:
                return view(request, *args, **kwargs)
            if len(key) > 200 or not key.isprintable():
                raise InvalidInput(
                    message="The Idempotency-Key is not usable.", field="Idempotency-Key", hint="At most 200 printable characters."
                )
            route = f"{request.method} {request.path}"[:200]
            body = hashlib.sha256(request.body + b"\0" + request.META.get("QUERY_STRING", "").encode()).hexdigest()
            with _lock(f"{request.project.pk}:{key}", atomic):
                kept = IdempotencyKey.objects.filter(project=request.project, key=key).first()
                if kept is not None:
                    if (kept.route, kept.body_digest) != (route, body):
                        raise Conflict(
                            message="This Idempotency-Key was used for another request.",
                            field="Idempotency-Key",
                            hint="Use a new key for a new request.",
                        )
                    return _answer(kept.status, kept.response)
                result = view(request, *args, **kwargs)
                response = _respond(request, result)
                if 200 <= response.status_code < 300:
                    IdempotencyKey.objects.create(
                        project=request.project,
                        key=key,
                        route=route,
                        body_digest=body,
                        status=response.status_code,
                        response=json.loads(response.content) if response.content else None,
                    )
                return response

        inner.idempotent = True  # type: ignore[attr-defined]  # read where the OpenAPI document names the header
        return cast(F, inner)

    return wrap


def _respond(request: ApiRequest, result: Any) -> HttpResponse:
    """The answer as ninja would write it, made here because it must be kept before the transaction ends."""
    if isinstance(result, HttpResponseBase):
        return cast(HttpResponse, result)
    operation = request.operation
    return cast(HttpResponse, operation._result_to_response(request, result, operation.api.create_temporal_response(request)))


def _answer(status: int, body: Any) -> HttpResponse:
    content = b"" if body is None else json.dumps(body).encode()
    response = HttpResponse(content, status=status, content_type="application/json; charset=utf-8")
    response["Idempotent-Replayed"] = "true"
    return response


@contextlib.contextmanager
def _lock(name: str, atomic: bool) -> Iterator[None]:
    """An advisory lock on the key: until the transaction ends, or (not atomic) until the write returns."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    if atomic:
        with transaction.atomic():
            _acquire("pg_advisory_xact_lock", number)
            yield
        return
    _acquire("pg_advisory_lock", number)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _acquire(function: str, number: int) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_SECONDS}s"])
            cursor.execute(f"SELECT {function}(%s)", [number])
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    except OperationalError as exc:
        raise Conflict(
            message="The first request with this Idempotency-Key is still being worked on.", hint="Try again in a moment."
        ) from exc
