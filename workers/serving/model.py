"""A loaded model version: raw rows or images in, answers out. Input is checked against the manifest, field by field."""

from __future__ import annotations

import base64
import binascii
import difflib
import json
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from workers.sdk import boxes, spans, texts
from workers.sdk.images import ImageRefused, decode_image
from workers.sdk.kinds import Model

Columns = list[list[Any]]
"""One list of checked values per input column, each as long as the number of instances."""

MAX_PROBLEMS = 20
NUMERIC = {"number", "integer", "boolean", "datetime"}


class InputRefused(ValueError):
    """What was sent does not fit the model's input schema. `problems`: `[{field, message, expected}]`."""

    def __init__(self, problems: list[dict[str, str]]):
        self.problems = problems
        super().__init__(problems[0]["message"] if problems else "invalid input")


def _session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads burn the core that the event loop needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    available = set(ort.get_available_providers())
    return ort.InferenceSession(str(path), options, providers=[p for p in wanted if p in available])


class LoadedModel:
    """`label` is `model@number`. Safe to use from several threads (an ONNX Runtime session is)."""

    def __init__(self, folder: Path, label: str):
        self.label = label
        self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
        if self.manifest.get("format") not in Model.formats:
            raise ValueError(f"the model's format is {self.manifest.get('format')!r}; this predictor reads {', '.join(Model.formats)}")
        self.input = self.manifest["input"]
        self.output = self.manifest["output"]
        self.is_image = self.input["kind"] == "image"
        threads = max(1, min(4, os.cpu_count() or 1)) if self.is_image else 1
        self.session = _session(folder / "model.onnx", threads)
        self.labels: list[str] = [str(label) for label in self.output.get("labels", [])]
        self.finds_boxes = self.output.get("kind") == "detection"
        self._texts = texts.kept(self.manifest, folder)
        self.tokens = spans.kept(self.manifest, folder)
        """What a model that finds spans in a text knows of words; None of any other."""
        self.max_batch = 32 if self.is_image or self.tokens else 64 if self._texts else 512
        self.columns: list[dict[str, Any]] = [] if self.is_image else self.input["columns"]
        self._names = {c["name"] for c in self.columns}
        self._free = {c["name"] for c in self.columns if "most_characters" in c}
        self._numeric = [c["type"] in NUMERIC for c in self.columns]
        plain = not self.labels or self.finds_boxes or self.tokens is not None
        wanted = self.output.get("output", "value") if plain else self.output.get("probability_output", "probabilities")
        outputs = [o.name for o in self.session.get_outputs()]
        if wanted not in outputs:
            raise ValueError(f"the ONNX graph has no output “{wanted}” (it has {', '.join(outputs)})")
        self._output = wanted
        graph_inputs = {i.name for i in self.session.get_inputs()}
        needed = {self.input["onnx_input"]} if self.is_image or self.tokens else self._names
        if graph_inputs - needed:
            raise ValueError(f"the ONNX graph asks for inputs that the manifest does not name: {', '.join(sorted(graph_inputs - needed))}")
        self._unused = needed - graph_inputs

    def warm_up(self) -> None:
        """Run once on a made-up instance, so that the first request does not pay for it and a broken graph fails here."""
        if self.is_image:
            self.infer([[np.zeros((self.input["height"], self.input["width"], self.input["channels"]), np.uint8)]])
        else:
            self.infer([[0.0] if numeric else ["a"] if self.tokens else [""] for numeric in self._numeric])

    # -- input ------------------------------------------------------------------------------------------------------

    def check(self, instances: Any) -> tuple[Columns, int]:
        """Checked columns and the number of instances; raises InputRefused naming each field."""
        if not isinstance(instances, list) or not instances:
            raise InputRefused([{"field": "instances", "message": "is missing or empty", "expected": "a list of at least one object"}])
        if len(instances) > 1000:
            raise InputRefused(
                [{"field": "instances", "message": f"has {len(instances)} entries", "expected": "at most 1000 in one request"}]
            )
        problems: list[dict[str, str]] = []
        columns = self._check_images(instances, problems) if self.is_image else self._check_rows(instances, problems)
        if self.tokens is not None and not problems and sum(map(len, columns[0])) > spans.MOST_AT_ONCE:
            much = f"at most {spans.MOST_AT_ONCE:,} characters in one request"
            problems.append({"field": "instances", "message": f"hold {sum(map(len, columns[0])):,} characters", "expected": much})
        if problems:
            raise InputRefused(problems[:MAX_PROBLEMS])
        return columns, len(instances)

    def _check_rows(self, instances: list[Any], problems: list[dict[str, str]]) -> Columns:
        for index, row in enumerate(instances):
            if not isinstance(row, dict):
                problems.append({"field": f"instances.{index}", "message": f"is {_kind(row)}", "expected": "an object of column: value"})
            elif not row.keys() <= self._names:
                for name in row.keys() - self._names:
                    near = difflib.get_close_matches(name, self._names, 1)
                    expected = f"did you mean “{near[0]}”?" if near else "one of: " + ", ".join(sorted(self._names)[:12])
                    problems.append(
                        {"field": f"instances.{index}.{name}", "message": "is not a column of this model", "expected": expected}
                    )
        if problems:
            return []
        columns: Columns = []
        for column, numeric in zip(self.columns, self._numeric, strict=True):
            name, required = column["name"], column.get("required", False)
            values: list[Any] = []
            for index, row in enumerate(instances):
                value = row.get(name)
                if value is None and name in self._free and name in row:
                    value = ""  # a text that is empty, not one that was forgotten
                if value is None or (value == "" and numeric):
                    if required:
                        problems.append({"field": f"instances.{index}.{name}", "message": "is missing", "expected": _expected(column)})
                    values.append(math.nan if numeric else "")
                elif numeric:
                    number = _number(value, column["type"])
                    if number is None:
                        problems.append(
                            {"field": f"instances.{index}.{name}", "message": f"is {_kind(value)}", "expected": _expected(column)}
                        )
                    values.append(number)
                elif isinstance(value, str):
                    values.append(value)
                elif isinstance(value, bool):
                    values.append("true" if value else "false")
                elif isinstance(value, int | float):
                    values.append(f"{value:g}" if isinstance(value, float) else str(value))
                else:
                    problems.append({"field": f"instances.{index}.{name}", "message": f"is {_kind(value)}", "expected": _expected(column)})
                    values.append("")
            columns.append(values)
        return columns

    def _check_images(self, instances: list[Any], problems: list[dict[str, str]]) -> Columns:
        pictures: list[Any] = []
        for index, row in enumerate(instances):
            field = f"instances.{index}.image"
            data = row if isinstance(row, bytes) else row.get("image") if isinstance(row, dict) else None
            if isinstance(data, str):
                try:
                    data = base64.b64decode(data.partition(",")[2] if data.startswith("data:") else data, validate=True)
                except (binascii.Error, ValueError):
                    problems.append({"field": field, "message": "is not base64", "expected": "the bytes of an image file in base64"})
                    continue
            if not isinstance(data, bytes):
                problems.append({"field": field, "message": "is missing", "expected": "the bytes of an image file in base64"})
                continue
            try:
                pictures.append(decode_image(data, self.input["height"], self.input["width"], self.input["channels"]))
            except ImageRefused as error:
                problems.append({"field": field, "message": str(error), "expected": "a PNG, JPEG, WebP, GIF, BMP or TIFF file"})
        return [pictures]

    # -- inference --------------------------------------------------------------------------------------------------

    def feeds(self, columns: Columns) -> dict[str, Any]:
        """ONNX feeds of checked columns: images `[n, H, W, C]` uint8; else one `[n, 1]` float32 or string array a column, of a text the
        numbers that training learned to make of it."""
        if self.is_image:
            return {self.input["onnx_input"]: np.stack(columns[0])}
        return {
            c["name"]: self._texts[c["name"]](values)
            if c["name"] in self._texts
            else np.array(values, dtype=np.float32 if numeric else object).reshape(-1, 1)
            for c, values, numeric in zip(self.columns, columns, self._numeric, strict=True)
            if c["name"] not in self._unused
        }

    def infer(self, columns: Columns) -> Any:
        """`[n, labels]` probabilities, `[n]` values, or `[n, 100, 6]` boxes (`workers.sdk.boxes.found`), as a float32 array; of a model
        that finds spans a list of answers."""
        if self.tokens is not None:
            return spans.answered(self.session, self.manifest, self.tokens, columns[0])
        answer = self.session.run([self._output], self.feeds(columns))[0]
        if self.finds_boxes:
            return boxes.found(answer)
        return answer if self.labels else answer.reshape(-1)

    def answers(self, raw: Any) -> list[dict[str, Any]]:
        """Raw answers as what a caller reads. Rounded to 7 digits: float32 has no more."""
        if self.finds_boxes:
            return [boxes.told(rows, self.labels, self.output["threshold"]) for rows in raw]
        if self.tokens is not None:
            return list(raw)
        if self.labels:
            best = raw.argmax(axis=1).tolist()
            return [
                {"label": self.labels[top], "probabilities": {name: round(p, 7) for name, p in zip(self.labels, row, strict=True)}}
                for top, row in zip(best, raw.tolist(), strict=True)
            ]
        return [{"value": value} for value in raw.tolist()]


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text “{value[:40]}”"
        case list():
            return "a list"
        case _:
            return "an object"


def _expected(column: dict[str, Any]) -> str:
    words = {
        "number": "a number",
        "integer": "a whole number",
        "boolean": "true or false",
        "datetime": "a date such as 2026-01-31T12:00:00",
    }
    expected = words.get(column["type"], "text")
    example = column.get("example")
    if isinstance(example, str) and len(example) > 60:
        example = example[:60] + "…"
    return f"{expected}, for example {example!r}" if example is not None else expected


def _number(value: Any, kind: str) -> float | None:
    """The float that the graph gets, or None when `value` is not of `kind`."""
    if isinstance(value, bool):
        return float(value) if kind in ("boolean", "number", "integer") else None
    if isinstance(value, int | float):
        if not math.isfinite(value) or (kind == "integer" and value != int(value)) or (kind == "boolean" and value not in (0, 1)):
            return None
        return float(value)
    if kind == "datetime" and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None
