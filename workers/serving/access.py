"""Who may ask: an API token of a member of the endpoint's project, or the studio's own web process.

Answers are remembered for `FRESH_S`, so a revoked token stops working within that time; while the database is away an answer
counts for up to `STALE_S`, so that serving outlives it.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass

import psycopg

FRESH_S = 5.0
STALE_S = 600.0
INTERNAL_S = 60
MAX_REMEMBERED = 10_000

CALLER = """
SELECT u.id::text, coalesce(array_agg(m.project_id::text) FILTER (WHERE m.project_id IS NOT NULL), '{}')
FROM core_apitoken t
JOIN core_user u ON u.id = t.user_id AND u.is_active
LEFT JOIN core_membership m ON m.user_id = u.id
  AND (t.project_id = m.project_id OR (t.project_id IS NULL AND t.step_run IS NULL))
WHERE t.token_hash = %s AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
GROUP BY u.id
"""


@dataclass(frozen=True, kw_only=True)
class Caller:
    user: str
    projects: frozenset[str]


class AccessUnknown(Exception):
    """The database is away and nothing is remembered of this token."""


class Access:
    def __init__(self, *, database_url: str, secret_key: str):
        self._database_url, self._secret = database_url, secret_key.encode()
        self._remembered: dict[str, tuple[float, Caller | None]] = {}

    async def caller(self, authorization: str) -> Caller | None:
        """Who the `Authorization` header names; None when nobody. Raises AccessUnknown."""
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            return None
        digest = hashlib.sha256(secret.strip().encode()).hexdigest()
        now = time.monotonic()
        remembered = self._remembered.get(digest)
        if remembered is not None and now - remembered[0] < FRESH_S:
            return remembered[1]
        try:
            connection = await psycopg.AsyncConnection.connect(self._database_url, autocommit=True, connect_timeout=3)
            async with connection:
                row = await (await connection.execute(CALLER, (digest,))).fetchone()
        except (psycopg.Error, OSError):
            if remembered is not None and now - remembered[0] < STALE_S:
                return remembered[1]
            raise AccessUnknown from None
        caller = Caller(user=row[0], projects=frozenset(row[1])) if row else None
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[digest] = (now, caller)
        return caller

    def is_studio(self, header: str, path: str) -> bool:
        """Whether `X-Headrace-Internal` (`seconds:user:signature`) was made by the web process for this path, less than a minute ago."""
        seconds, _, rest = header.partition(":")
        user, _, signature = rest.partition(":")
        if not seconds.isdecimal() or len(seconds) > 12 or abs(time.time() - int(seconds)) > INTERNAL_S:
            return False
        wanted = hmac.new(self._secret, f"predict:{seconds}:{user}:{path}".encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted.encode(), signature.encode())  # as bytes: text that is not ASCII cannot be compared
