"""Ask one model without deploying it: `python -m workers.serving.ask DIGEST`, by whoever has many questions at once.

It answers as the predictor does, with the same code. A line of JSON comes in, `{"instances": [...]}` with rows, or pictures as
`{"image": digest}`, and one goes out, `{"answers": [...]}`: null for what the model cannot answer. It ends when its input does.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from workers.sdk.store import Store
from workers.serving.model import InputRefused, LoadedModel

INDEX = re.compile(r"^instances\.(\d+)\.")


def answers(model: LoadedModel, instances: list[Any]) -> list[dict[str, Any] | None]:
    """One for each instance; None for those that do not fit the model's input. Raises InputRefused where it is not clear which."""
    places, asked = list(range(len(instances))), list(instances)
    found: list[dict[str, Any] | None] = [None] * len(instances)
    while asked:
        try:
            columns, _ = model.check(asked)
        except InputRefused as error:
            bad = {int(match[1]) for problem in error.problems if (match := INDEX.match(problem["field"]))}
            if not bad:
                raise
            places, asked = ([one for n, one in enumerate(side) if n not in bad] for side in (places, asked))
            continue
        for place, answer in zip(places, model.answers(model.infer(columns)), strict=True):
            found[place] = answer
        break
    return found


def main(digest: str) -> None:
    store = Store.from_environment()
    model = LoadedModel(store.fetch_folder(digest), digest)
    for line in sys.stdin:
        asked = json.loads(line)["instances"]
        if model.is_image:
            asked = [store.read(one["image"]) for one in asked]
        print(json.dumps({"answers": answers(model, asked)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
