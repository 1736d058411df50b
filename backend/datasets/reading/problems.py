"""What is wrong with an upload, collected: a person who must fix a file wants to know more than the first fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from backend.core.errors import Problem

MOST = 20


class ReadFailed(Exception):
    """The upload cannot be read; `problems` say why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems[0]["message"] if problems else "The upload cannot be read")
        self.problems = problems


@dataclass
class Problems:
    """Collects at most MOST problems of one upload; one more raises at once."""

    file: str
    found: list[Problem] = field(default_factory=list)

    def add(self, message: str, expected: str = "", *, line: int | None = None, member: str = "", place: str = "") -> None:
        """`line` counts from 1; `member` is a name inside an archive."""
        where = self.file + (f" › {member}" if member else "") + (f", line {line}" if line else "") + (f", {place}" if place else "")
        self.found.append({"field": where, "message": _printable(message), "expected": expected})
        if len(self.found) >= MOST:
            self.found.append({"field": self.file, "message": "There are more problems; these are the first.", "expected": ""})
            raise ReadFailed(self.found)

    def fail(self, message: str, expected: str = "", *, line: int | None = None, member: str = "", place: str = "") -> ReadFailed:
        """Add and return the exception to raise, for what ends the reading."""
        try:
            self.add(message, expected, line=line, member=member, place=place)
        except ReadFailed as full:
            return full
        return ReadFailed(self.found)

    def raise_any(self) -> None:
        if self.found:
            raise ReadFailed(self.found)


def _printable(text: str) -> str:
    text = " ".join(text.split())
    return "".join(c if c.isprintable() else "�" for c in text)[:480]


Progress = Callable[[float, str], None]
"""Called with a fraction and a word; raises to stop (the upload was cancelled)."""
