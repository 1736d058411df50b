"""Chromium, for the browser tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from infra.bootstrap.base import Failed, call
from infra.bootstrap.progress import progress

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """The browser that the tests drive: CHROMIUM, or one on the PATH."""
    named = os.environ.get("CHROMIUM")
    return named if named and Path(named).exists() else next((found for name in BROWSERS if (found := shutil.which(name))), None)


def ensure_chromium() -> str | None:
    """Find Chromium, or install it where the system's package manager may be used without asking (root, apt). None when there is none."""
    if (found := chromium()) or os.geteuid() != 0 or not shutil.which("apt-get"):
        return found
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        with progress("Chromium"):
            call(["apt-get", "update", "-q"], "The list of system packages could not be read", environment=environment)
            call(
                ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-liberation"],
                "Chromium could not be installed",
                environment=environment,
            )
    except Failed as exc:
        print(exc)
    return chromium()
