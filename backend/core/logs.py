"""Log lines without secrets: whatever looks like one of ours (`hr_…`: tokens, invitations, reset and sign-in links) is cut."""

from __future__ import annotations

import logging
import re

SECRET = re.compile(r"\bhr_[A-Za-z0-9_-]{20,}")


class RedactingFormatter(logging.Formatter):
    """Applied to the finished text, so that arguments, tracebacks and addresses are covered too."""

    def format(self, record: logging.LogRecord) -> str:
        return SECRET.sub(lambda found: found[0][:7] + "…", super().format(record))
