"""Whether parameters fit a component's form (JSON Schema), remembered: a pipeline is checked with every start and every look at its draft,
and nearly all of its steps are as they were the last time. To validate costs ten times as much as to write down what was asked."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

LONG = 2_000
"""Longer ones (code, prompts) are not remembered: thousands of them are."""


class Form:
    """A component's form, ready to look at parameters with."""

    def __init__(self, schema: Mapping[str, Any]):
        self.validator = Draft202012Validator(schema)
        """What says what is wrong."""
        self._schema = json.dumps(schema, sort_keys=True)

    def fits(self, parameters: Mapping[str, Any]) -> bool:
        """Whether nothing is wrong with them; every reference in them counts as what it is, an object."""
        text = json.dumps(parameters)
        return _fits(self._schema, text) if len(text) <= LONG else self.validator.is_valid(parameters)


@functools.lru_cache(maxsize=4096)
def _fits(schema: str, parameters: str) -> bool:
    return _validator(schema).is_valid(json.loads(parameters))  # type: ignore[no-any-return]  # jsonschema says Any


@functools.lru_cache(maxsize=512)
def _validator(schema: str) -> Any:
    return Draft202012Validator(json.loads(schema))
