"""A page's prediction, passed on to the predictor with the web process's signature instead of the person's token."""

from __future__ import annotations

import hashlib
import hmac
import time
from functools import lru_cache
from typing import Any

import httpx
from django.conf import settings
from django.http import HttpResponse

from backend.core.models import User
from backend.deployments.errors import PredictionRefused, PredictorAway
from backend.deployments.models import Endpoint

LABEL = "x-model-version"
AWAY = "It may be starting; try again in a moment. `python3 manage.py status` tells."


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    """One pool of connections; `trust_env` off, because the predictor is on this machine and no proxy stands between."""
    return httpx.Client(timeout=httpx.Timeout(30, connect=2), trust_env=False, limits=httpx.Limits(max_connections=50))


def sign(user: User, path: str) -> str:
    """The header that the predictor takes for a minute: `seconds:user:signature`."""
    seconds = str(int(time.time()))
    signed = f"predict:{seconds}:{user.pk}:{path}".encode()
    return f"{seconds}:{user.pk}:{hmac.new(settings.SECRET_KEY.encode(), signed, hashlib.sha256).hexdigest()}"


def predict(endpoint: Endpoint, user: User, body: bytes, request_id: str = "") -> HttpResponse:
    """The predictor's own answer; both logs know it by the same request id. Raises PredictionRefused with its error,
    PredictorAway when it does not answer."""
    path = f"/v1/{endpoint.project.slug}/{endpoint.slug}/predict"
    headers = {"X-Headrace-Internal": sign(user, path), "Content-Type": "application/json"}
    if request_id:
        headers["X-Request-Id"] = request_id
    try:
        answer = _client().post(settings.PREDICTOR_URL.rstrip("/") + path, content=body, headers=headers)
    except httpx.HTTPError:
        raise PredictorAway(hint=AWAY) from None
    if answer.status_code < 400:
        response = HttpResponse(answer.content, content_type="application/json; charset=utf-8")
        if LABEL in answer.headers:
            response[LABEL] = answer.headers[LABEL]
        return response
    told = _error(answer)
    if answer.status_code in (401, 403) or told is None:
        # Its quarrel with us (keys that differ, a clock that is off) is not the person's: a 401 would sign them out.
        raise PredictorAway(hint=f"It answered {answer.status_code}. Do both have the same SECRET_KEY and time?")
    raise PredictionRefused(answer.status_code, told)


def _error(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        told = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return None
    return told if isinstance(told, dict) else None
