"""Which process runs which tests, when there are several (`pytest -n`): a plugin.

A file stays together (its fixtures are made once). Browser tests stay together, for they share one studio, as do those of Label Studio's
API; but what looks at every
page is as long as all others of them together, and worth a studio of its own. These and other long files begin first, so that no
process is left with one of them at the end.
"""

from __future__ import annotations

from typing import Any

import pytest

PAGES = "tests/e2e/test_accessible.py"
FIRST = ("tests/e2e/", "tests/infra/", "tests/workers/engine/", "tests/workers/components/", "tests/backend/config/")
TOGETHER = ("tests/e2e/", "tests/backend/labelstudio/")
"""Each with one studio for all its files."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: next((n for n, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class Spread(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return next((folder for folder in TOGETHER if file.startswith(folder) and file != PAGES), file)

    config.option.loadscopereorder = False
    return Spread(config, log)
