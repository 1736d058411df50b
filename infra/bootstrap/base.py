"""What every part of the bootstrap uses: where things are, stamps, running a program, the one-sentence failure. Standard library only."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "headrace.json"
LOG = VENV / "bootstrap.log"
RUNTIME_LOCK = ROOT / "infra" / "requirements.lock"
TOOLS_LOCK = ROOT / "infra" / "requirements-dev.lock"
NODE_LOCK = ROOT / "infra" / "requirements-node.lock"


class Failed(Exception):
    """One sentence for the person who started it."""


def pins(lock: Path) -> list[str]:
    """Each requirement with its version and, where it has one, its marker; without hashes."""
    return [line.strip() for line in re.findall(r"^([A-Za-z0-9._-]+==[^\\\n]+)", lock.read_text(), re.MULTILINE)]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def stamp(**made: str) -> None:
    fresh = STAMPS.with_suffix(".new")
    fresh.write_text(json.dumps({**read(STAMPS), **made}, indent=1))
    fresh.rename(STAMPS)


def call(command: list[str], trouble: str, *, environment: dict[str, str] | None = None, line: Callable[[str], None] | None = None) -> None:
    """Run it with its words in the log; the last of them are the reason when it fails."""
    said: list[str] = []
    try:
        with LOG.open("a") as log:
            log.write(f"$ {' '.join(command)}\n")
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            assert process.stdout is not None
            try:
                for text in process.stdout:
                    log.write(text)
                    said.append(text.rstrip())
                    if line is not None:
                        line(text)
            except BaseException:
                process.terminate()
                raise
            code = process.wait()
    except OSError as exc:
        raise Failed(f"{trouble}: {exc.strerror or exc} ({exc.filename or command[0]}).") from exc
    if code:
        errors = [text for text in said if "error" in text.lower()] or [text for text in said if text]
        raise Failed(f"{trouble}: {errors[-1] if errors else f'exit status {code}'}\nAll of it is in {LOG}.")
