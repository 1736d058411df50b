"""No file grows past what one can hold in mind: the limits and the reasoned exceptions are in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from infra.supervisor.layout import ROOT

SUFFIXES = {".py", ".ts", ".tsx", ".js", ".mjs", ".cjs", ".css", ".sql"}


def sources() -> list[Path]:
    """Files under version control (and new ones not ignored), without migrations, which are made."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=False, capture_output=True).stdout
    named = [Path(name) for name in listed.decode().split("\0") if name]
    if not named:  # not a clone: look at the folders
        named = [p.relative_to(ROOT) for top in ("backend", "workers", "infra", "tests", "frontend/src") for p in (ROOT / top).rglob("*")]
    return [path for path in named if path.suffix in SUFFIXES and "migrations" not in path.parts and (ROOT / path).is_file()]


def main() -> int:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["headrace"]["length"]
    longer, failed = rules["longer"], False
    for path in sources():
        name, lines = path.as_posix(), len((ROOT / path).read_bytes().splitlines())
        if lines <= rules["warn"] or name in longer:
            continue
        failed = failed or lines > rules["fail"]
        print(f"{name}: {lines} lines; {'split it (a package, one verb a file)' if lines > rules['fail'] else 'soon too long'}")
    for name in longer:
        if not (ROOT / name).exists():
            failed = True
            print(f"{name}: named as an exception in pyproject.toml, but it does not exist")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
