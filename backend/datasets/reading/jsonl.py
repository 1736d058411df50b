"""JSON Lines: one object a line. Two passes: the first finds every key and every fault, the second writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.datasets.reading.encoding import as_utf8
from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.opened import Opened, checked_names
from backend.datasets.reading.problems import Problems

BATCH = 8_192


def open_jsonl(path: Path, options: dict[str, Any], work: Path, problems: Problems) -> Opened:
    import pyarrow as pa

    clean, encoding = as_utf8(path, work, problems, options.get("encoding") or "")
    keys: dict[str, set[str]] = {}
    lines = 0
    for line, value, wrong in _objects(clean):
        lines += 1
        if wrong:
            problems.add(wrong, 'one JSON object, such as {"age": 40, "city": "Bern"}', line=line)
            continue
        for key, cell in value.items():
            if cell is not None:
                keys.setdefault(key, set()).add(_sort(cell))
            else:
                keys.setdefault(key, set())
        if len(keys) > LIMITS.columns:
            raise problems.fail(f"There are more than {LIMITS.columns:,} different keys.", "the same keys in every object", line=line)
    problems.raise_any()
    names = checked_names(list(keys), problems) if keys else []
    if not names:
        raise problems.fail("There is no object with a key.", "one JSON object a line")
    kinds = [_arrow(sorts) for sorts in keys.values()]
    schema = pa.schema(list(zip(names, kinds, strict=True)))

    def batches() -> Iterator[tuple[Any, float]]:
        rows: list[dict[str, Any]] = []
        done = 0
        for _, value, _ in _objects(clean):
            rows.append(value)
            if len(rows) == BATCH:
                done += len(rows)
                yield _batch(rows, list(keys), schema), done / lines
                rows = []
        if rows:
            yield _batch(rows, list(keys), schema), 1.0

    return Opened(schema=schema, batches=batches(), typed=True, reading={"format": "jsonl", "encoding": encoding})


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any], str]]:
    """(line, object, what is wrong)."""
    with path.open("rb") as file:
        for line, raw in enumerate(iter(lambda: file.readline(LIMITS.cell_bytes), b""), start=1):
            if line == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if not raw.strip():
                continue
            try:
                value = json.loads(raw, parse_constant=lambda _: None)
            except json.JSONDecodeError as exc:
                yield line, {}, f"This is not JSON: {exc.msg} at character {exc.pos + 1}."
                continue
            except (RecursionError, ValueError):
                yield line, {}, "This JSON is nested too deeply or holds a number that is too long."
                continue
            if not isinstance(value, dict):
                yield line, {}, f"This is {_sort(value)}, not an object."
                continue
            yield line, value, ""


def _sort(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "an integer" if -(2**63) <= value < 2**63 else "a number"
    return {float: "a number", str: "text", list: "a list", dict: "an object", type(None): "null"}[type(value)]


def _arrow(sorts: set[str]) -> Any:
    import pyarrow as pa

    if sorts == {"true or false"}:
        return pa.bool_()
    if sorts == {"an integer"}:
        return pa.int64()
    return pa.float64() if sorts and sorts <= {"an integer", "a number"} else pa.string()


def _batch(rows: list[dict[str, Any]], keys: list[str], schema: Any) -> Any:
    import pyarrow as pa

    arrays = []
    for key, field in zip(keys, schema, strict=True):
        values = [row.get(key) for row in rows]
        if pa.types.is_string(field.type):
            values = [v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in values]
            values = [None if v is None else v.encode("utf-8", "replace").decode() for v in values]  # lone surrogates from \ud800
        elif pa.types.is_floating(field.type):
            values = [None if v is None else float(v) for v in values]
        arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
