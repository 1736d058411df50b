"""Mail, sent beside the request: a slow mail server must neither delay an answer nor tell by its delay whether an address is known."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from django.core.mail import send_mail
from django.db import transaction

log = logging.getLogger(__name__)
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="mail")
_sending: set[Future[None]] = set()


def send_on_commit(to: str, subject: str, text: str) -> None:
    """Send once the transaction commits; a failure is logged (without the text, which may hold a secret link)."""
    transaction.on_commit(partial(_start, to, subject, text), robust=True)


def wait() -> None:
    """Until everything handed over so far is sent (commands and tests)."""
    for future in list(_sending):
        future.result()


def _start(to: str, subject: str, text: str) -> None:
    future = _threads.submit(_send, to, subject, text)
    _sending.add(future)
    future.add_done_callback(_sending.discard)


def _send(to: str, subject: str, text: str) -> None:
    try:
        send_mail(subject, text, None, [to])
    except Exception as exc:  # a mail server can fail in any way; nobody waits for this thread
        log.warning("mail “%s” was not sent: %s: %s", subject, type(exc).__name__, exc)
