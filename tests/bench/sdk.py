"""Label Studio's own SDK against this studio: importing text tasks.

The floor is Label Studio's own time for the same call, measured once and not again in every run: it cannot be installed beside us.
"""

from __future__ import annotations

import statistics
import time

from label_studio_sdk.client import LabelStudio

from tests.bench.main import Row
from tests.bench.setup import URL, account

TASKS = 10_000
LABEL_STUDIO_S = 1.3
CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="mood" toName="text"><Choice value="good"/><Choice value="bad"/></Choices></View>'
)
TIMES = 3


def imports(url: str, secret: str) -> list[float]:
    """Seconds of each import into a project of its own."""
    client = LabelStudio(base_url=url, api_key=secret, timeout=300)
    tasks = [{"data": {"text": f"Text number {n} says something about a film that somebody saw."}} for n in range(TASKS)]
    found = []
    for _ in range(TIMES):
        project = client.projects.create(title="Bench", label_config=CONFIG)
        begun = time.perf_counter()
        assert client.projects.import_tasks(project.id, request=tasks).task_count == TASKS
        found.append(time.perf_counter() - begun)
    return found


def main() -> None:
    project, user, _ = account()
    from backend.core.actions import tokens

    _, secret = tokens.create(user, "bench", project=project.slug, expires_in_days=1)
    ours = statistics.median(imports(URL, secret))
    row = Row(
        part="sdk", name="import 10,000 text tasks by the SDK", ours=round(ours, 3), floor=LABEL_STUDIO_S, unit="s",
        floor_is="the same call at Label Studio's",
    )  # fmt: skip
    print(row.line(), flush=True)


if __name__ == "__main__":
    main()
