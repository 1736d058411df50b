"""A plugin of pytest: what went wrong before the tests is told once more just above its last line, which stays the last line."""

from __future__ import annotations

import os

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for trouble in filter(None, os.environ.get("HEADRACE_TROUBLES", "").split("\n")):
        terminalreporter.write_line(f"Before the tests: {trouble}", red=True)
