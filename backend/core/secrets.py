"""Secrets that must be read again (a broker's password, a webhook's key): encrypted in the database under the studio's SECRET_KEY.

What only has to be compared is hashed instead (`core.auth`). Fernet (AES-128-CBC with HMAC-SHA256) under a key that HKDF derives
for this purpose alone, so that what signs sessions never encrypts. With another SECRET_KEY nothing can be read any more: people
are told to enter the secret again, and nothing else breaks.
"""

from __future__ import annotations

import base64
import functools

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from backend.core.errors import Conflict

PURPOSE = b"headrace secrets v1"


class SecretUnreadable(Conflict):
    """This secret was encrypted under another SECRET_KEY and cannot be read."""


def encrypt(text: str) -> str:
    """`text` for the database; the same text never looks the same twice."""
    return _fernet(settings.SECRET_KEY).encrypt(text.encode()).decode()


def decrypt(kept: str) -> str:
    """The text again; raises SecretUnreadable when it was kept under another key, or was changed."""
    try:
        return _fernet(settings.SECRET_KEY).decrypt(kept.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable(hint="Enter the secret again.") from None


@functools.lru_cache(maxsize=2)
def _fernet(key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
