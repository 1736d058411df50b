"""Real texts with real classes that every machine has: what Python's own functions and classes say of themselves, by package.

From the sources of the standard library (PSF licence), read and never imported.
"""

from __future__ import annotations

import ast
import random
import sysconfig
from functools import cache
from pathlib import Path

PACKAGES = ("asyncio", "email", "importlib", "multiprocessing", "unittest")


@cache
def docstrings() -> tuple[tuple[str, str], ...]:
    """(Text, package), in an order of chance that is always the same; each text once."""
    home, found = Path(sysconfig.get_path("stdlib")), {}
    for package in PACKAGES:
        for file in sorted((home / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_bytes())):
                said = ast.get_docstring(node) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else None
                if said and len(said.split()) >= 5:
                    found.setdefault(said, package)
    rows = sorted(found.items())
    random.Random(1).shuffle(rows)
    return tuple(rows)
