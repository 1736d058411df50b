"""Which checks there are and how they are run: two at a time, each one's words shown only when it fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from infra.bootstrap.node import node_environment
from infra.supervisor.layout import ROOT

AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class Check:
    name: str
    command: list[str]
    fix: list[str] | None = None
    """What puts it right by itself, where something does."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    check: Check
    passed: bool
    seconds: float
    said: str


def checks() -> list[Check]:
    """All of them, the longest first."""
    python, node = sys.executable, ["node"]
    modules = ROOT / "node_modules"

    def js(script: str, *arguments: str) -> list[str]:
        return [*node, str(modules / script), *arguments]

    return [
        Check(name="mypy", command=[python, "-m", "mypy"]),
        Check(name="tsc", command=js("typescript/bin/tsc", "-p", "frontend/tsconfig.json")),
        Check(
            name="eslint",
            command=js("eslint/bin/eslint.js", "--config", "frontend/eslint.config.js", "--max-warnings", "0", "frontend/src"),
        ),
        Check(name="vitest", command=js("vitest/vitest.mjs", "run", "--config", "frontend/vite.config.ts")),
        Check(
            name="frontend imports",
            command=js("dependency-cruiser/bin/dependency-cruise.mjs", "--config", "frontend/.dependency-cruiser.cjs", "frontend/src"),
        ),
        Check(name="API types are current", command=[*node, "frontend/types.mjs", "--check"], fix=[*node, "frontend/types.mjs"]),
        Check(name="migrations are current", command=[python, "-m", "infra.checks.migrations"]),
        Check(
            name="Python imports",
            command=[python, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"],
        ),
        Check(
            name="ruff",
            command=[python, "-m", "ruff", "check", "--no-cache", "--output-format", "concise", "."],
            fix=[python, "-m", "ruff", "check", "--fix", "-q", "."],
        ),
        Check(
            name="ruff format",
            command=[python, "-m", "ruff", "format", "--check", "--output-format", "concise", "--no-cache", "."],
            fix=[python, "-m", "ruff", "format", "-q", "."],
        ),
        Check(name="file length", command=[python, "-m", "infra.checks.length"]),
    ]


def run(chosen: Iterable[Check], done: Callable[[Outcome], None]) -> list[Outcome]:
    """Run them and tell each outcome as it comes."""
    environment = node_environment() | {"PYTHON": sys.executable, "NO_COLOR": "1", "CI": os.environ.get("CI", "true")}
    environment.pop("FORCE_COLOR", None)

    def one(check: Check) -> Outcome:
        start = time.monotonic()
        try:
            ended = subprocess.run(
                check.command,
                check=False,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            passed, said = ended.returncode == 0, ended.stdout
        except OSError as exc:
            passed, said = False, f"{check.command[0]}: {exc.strerror}"
        return Outcome(check=check, passed=passed, seconds=time.monotonic() - start, said=said.strip())

    found = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for future in as_completed([pool.submit(one, check) for check in chosen]):
            found.append(future.result())
            done(found[-1])
    return found


def fix(chosen: Iterable[Check]) -> None:
    """Put right what can be put right without a person."""
    for check in chosen:
        if check.fix:
            subprocess.run(check.fix, check=False, cwd=ROOT, env=node_environment() | {"PYTHON": sys.executable}, stdin=subprocess.DEVNULL)
