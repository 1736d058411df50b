"""The request being answered, for code that is told only who acts (the audit log needs the address and the token too)."""

from __future__ import annotations

from contextvars import ContextVar, Token

from django.http import HttpRequest

_current: ContextVar[HttpRequest | None] = ContextVar("headrace_request", default=None)


def current_request() -> HttpRequest | None:
    """None outside of a request: Celery functions, commands, tests of actions."""
    return _current.get()


def enter(request: HttpRequest) -> Token[HttpRequest | None]:
    return _current.set(request)


def leave(token: Token[HttpRequest | None]) -> None:
    _current.reset(token)
