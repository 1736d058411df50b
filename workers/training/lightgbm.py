"""Loading LightGBM where the machine has no OpenMP library of its own."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
from pathlib import Path
from typing import Any

from workers.sdk.errors import StepError


def load() -> Any:
    """The lightgbm module. On bare machines its libgomp is missing: then the one that scikit-learn or torch brought is loaded first."""
    try:
        return importlib.import_module("lightgbm")
    except OSError as error:
        if "gomp" not in str(error):
            raise
        for library in _brought():
            try:
                ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
                return importlib.import_module("lightgbm")
            except OSError:
                continue
        raise StepError(
            "Gradient boosting needs the system library libgomp, which this machine lacks.",
            hint="Install it (Debian and Ubuntu: apt install libgomp1; Fedora: dnf install libgomp), or use a random forest.",
        ) from error


def _brought() -> list[Path]:
    found: list[Path] = []
    for package, folder in (("sklearn", "../scikit_learn.libs"), ("torch", "lib"), ("torch", "../torch.libs")):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin:
            found += sorted((Path(spec.origin).parent / folder).glob("libgomp*"))
    return found
