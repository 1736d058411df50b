"""What can go wrong with hosts, for people."""

from __future__ import annotations

from backend.core.errors import Conflict, HeadraceError


class JoinRefused(HeadraceError):
    """This join token was never valid, has expired, or was revoked."""

    status = 403

    def __init__(self) -> None:
        super().__init__(hint="An administrator of the studio makes a new one on the Workers page.")


class HostLives(Conflict):
    """“{host}” is heard of; stop it before you remove it."""

    code = "host_lives"


class CannotServe(Conflict):
    """This studio's {part} is not one that it can pass on to other hosts."""

    code = "cannot_serve"
