"""Embeds items for whoever has many: `python -m workers.embedding NAME PARAMETERS [STATE]`; STATE is the digest of what was learned before.

A line of JSON comes in, a line goes out, until the input ends:
`{"fit": [input, …]}` → `{"state": digest}` · `{"embed": [input, …]}` → `{"vectors": [text or null, …]}` · `{"query": words}` →
`{"vector": text}`. A vector is text as pgvector reads it. `{"error": sentence}` where something is wrong that a person can mend.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

from workers.embedding.errors import CannotEmbed
from workers.embedding.shape import Floats, Shape, pack, unpack
from workers.sdk.store import Store


def written(vector: Floats) -> str:
    return "[" + ",".join(f"{value:.6g}" for value in vector.tolist()) + "]"


def answered(store: Store, shape: Shape, asked: dict[str, Any]) -> dict[str, Any]:
    if "fit" in asked:
        shape.fit(asked["fit"])
        return {
            "state": store.put_bytes(pack(shape)).digest,
            "told": {name: shape.told[name] for name in ("takes_text",) if name in shape.told},
        }
    if "embed" in asked:
        return {"vectors": [None if row is None else written(row) for row in shape.embed(asked["embed"])]}
    return {"vector": written(shape.query(asked["query"]))}


def main(name: str, parameters: str, state: str = "") -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    store = Store.from_environment()
    shape: Shape = importlib.import_module(f"workers.embedding.embedders.{name}").Embedding(store, json.loads(parameters))
    if state:
        unpack(store.read(state), shape)
    for line in sys.stdin:
        try:
            answer = answered(store, shape, json.loads(line))
        except CannotEmbed as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
