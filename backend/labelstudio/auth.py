"""Our personal API tokens as Label Studio's clients send them.

`Authorization: Token hr_…` is the token itself. Clients that hold a JWT exchange it first: they decode it without checking, to see that
it is a refresh token and when it ends. So the same token can be written in the shape of one (`refresh_form`): its third part, where a
signature would be, is the secret. Nothing in the other two is believed. What it is exchanged for is a JWT that we sign, which names
the token and ends after minutes; a revoked token takes those with it.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from backend.core.auth import PREFIX, note_use, token_for
from backend.core.errors import SignInNeeded
from backend.core.models import ApiToken

LIFE = 300
"""Seconds of an access token, as Label Studio's."""
BACKEND_LIFE = 7 * 86_400
"""Of what an ML backend is given to read tasks with; it asks again at every setup."""
FOREVER = 100 * 365 * 86_400
HEADER = {"alg": "HS256", "typ": "JWT"}


def caller(request: HttpRequest) -> tuple[ApiToken, int | None]:
    """Whose token came, and the one project that it reads where it can do no more. Raises SignInNeeded."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    given = given.strip()
    if not given:
        scheme, given = "token", request.headers.get("X-Api-Key", "").strip()
    if not given or scheme.lower() not in ("token", "bearer"):
        raise SignInNeeded(hint="Send `Authorization: Token …`.")
    found, reads = (token_for(given), None) if given.startswith(PREFIX) else _by_access(given)
    if found is None:
        raise SignInNeeded(hint="The token is not good, or no longer.")
    note_use(found)
    return found, reads


def refresh_form(secret: str, token: ApiToken) -> str:
    """A token in the shape of a refresh JWT; it can do what the token can, and is as secret."""
    ends = int(token.expires_at.timestamp()) if token.expires_at else int(time.time()) + FOREVER
    said = {"token_type": "refresh", "exp": ends, "iat": int(token.created_at.timestamp()), "jti": token.pk.hex}
    return f"{_part(HEADER)}.{_part(said)}.{_encode(secret.encode())}"


def token_of_refresh(text: Any) -> ApiToken | None:
    """The token that a refresh JWT of ours is, or the token itself."""
    if not isinstance(text, str):
        return None
    secret = text
    if not text.startswith(PREFIX):
        try:
            secret = _decode(text.rsplit(".", 1)[-1]).decode("ascii")
        except (ValueError, binascii.Error):
            return None
    return token_for(secret)


def access_for(token: ApiToken, *, reads: int | None = None, seconds: int = LIFE) -> str:
    """A JWT in the name of `token`, for a while. `reads`: for reading this one project, and nothing else."""
    said = {"token_type": "access", "exp": int(time.time()) + seconds, "token": token.pk.hex, **({"reads": reads} if reads else {})}
    text = f"{_part(HEADER)}.{_part(said)}"
    return f"{text}.{_encode(_signature(text))}"


def _by_access(text: str) -> tuple[ApiToken | None, int | None]:
    signed, _, signature = text.rpartition(".")
    if not signed or not constant_time_compare(signature, _encode(_signature(signed))):
        return None, None
    said = json.loads(_decode(signed.partition(".")[2]))
    if said["exp"] < time.time():
        return None, None
    now = timezone.now()
    live = Q(expires_at=None) | Q(expires_at__gt=now)
    found = ApiToken.objects.select_related("user").filter(live, pk=UUID(said["token"]), revoked_at=None, user__is_active=True).first()
    return found, said.get("reads")


def _signature(text: str) -> bytes:
    return salted_hmac("backend.labelstudio.auth", text, algorithm="sha256").digest()


def _part(value: dict[str, Any]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
