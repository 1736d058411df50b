"""Makes the environment that everything else runs in: `.venv`, locked packages, torch, Node where it is missing, the built pages.

Standard library only, because nothing else is there yet. Every part has a stamp (what it was made from), written after it is
whole: an interrupted start goes on where it stopped, and an unchanged one costs a few file looks. It installs into the
project's own folder and, for Chromium on a machine where it may, through the system's package manager; nowhere else.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Callable, Iterator

from infra.bootstrap import node, pages, python
from infra.bootstrap.base import PYTHON, ROOT, RUNTIME_LOCK, STAMPS, TOOLS_LOCK, VENV, Failed, digest, read

WITH_PAGES = {"up", "demo", "test", "bench"}
"""Commands that need the built pages; the others start without Node."""
WITH_TOOLS = {"test", "lint", "bench"}
"""Commands that need the packages of requirements-dev.lock and node_modules."""


def enter(arguments: list[str]) -> None:
    """Complete the environment for this command, then start it again inside. Does not return."""
    try:
        command = next((a for a in arguments if not a.startswith("-")), "")
        ensure(with_pages=command in WITH_PAGES, with_tools=command in WITH_TOOLS)
    except Failed as exc:
        sys.exit(str(exc))
    except KeyboardInterrupt:
        sys.exit("Interrupted; the next start goes on from here.")
    environment = {**os.environ}
    environment.pop("PYTHONHOME", None)
    os.execve(PYTHON, [str(PYTHON), str(ROOT / "manage.py"), *arguments], environment)


def ensure(*, with_pages: bool, with_tools: bool) -> None:
    """Bring every part up to date that this needs."""
    if not _missing(with_pages, with_tools):
        return
    python.refuse_unfit()
    VENV.mkdir(exist_ok=True)
    with _alone():
        made: set[Callable[[], None]] = set()
        # Looked at again after each part: a new environment needs everything anew, and another start may have made some.
        while left := [part for part in _missing(with_pages, with_tools) if part not in made]:
            left[0]()
            made.add(left[0])


def _missing(with_pages: bool, with_tools: bool) -> list[Callable[[], None]]:
    """The parts to make, in order."""
    known = read(STAMPS)
    found: list[Callable[[], None]] = []
    if not PYTHON.exists() or "python" not in known:
        found.append(python.make)
    if known.get("packages") != digest(RUNTIME_LOCK):
        found.append(python.install_packages)
    if known.get("torch") != python.torch_version():
        found.append(python.install_torch)
    if with_tools and known.get("tools") != digest(TOOLS_LOCK):
        found.append(python.install_tools)
    if known.get("scripts") != python.scripts():
        found.append(python.write_scripts)
    build = with_pages and not pages.current()
    if (build or with_tools) and node.missing():
        found.append(node.install)
    if build:
        found.append(pages.build)
    return found


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One start at a time makes the environment; the others wait for it and then find it made."""
    with (VENV / "bootstrap.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another start is making the environment; waiting for it …", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
