"""Kinds of questions beyond boxes and choices: how their XML is read, and what is refused with its line. Label Studio's parser agrees."""

from __future__ import annotations

from typing import Any

import pytest

from backend.labeling.schema_xml import read
from workers.sdk.labels.config import LabelConfig, from_json


def kept(body: str) -> LabelConfig:
    found = read(f"<View>{body}</View>")
    assert found["problems"] == [], found["problems"]
    return from_json(found["config"])


def refused(body: str) -> list[dict[str, Any]]:
    found = read(f"<View>{body}</View>", last_word=False)
    assert found["config"] is None
    problems: list[dict[str, Any]] = found["problems"]
    return problems


IMAGE = '<Image name="i" value="$i"/>'


def test_lines_are_read_with_their_rules() -> None:
    config = kept(
        f'{IMAGE}<VectorLabels name="way" toName="i" closable="true" minPoints="3" maxPoints="9"><Label value="Road"/></VectorLabels>'
        '<Vector name="edge" toName="i"/>'
    )
    way, edge = config.controls
    assert (way.type, way.closable, way.minimum, way.maximum) == ("vectorlabels", True, 3, 9)
    assert (edge.type, edge.closable, edge.minimum, edge.maximum, edge.makes_regions) == ("vector", False, None, None, True)


@pytest.mark.parametrize("attribute", ["curves", "skeleton"])
def test_curves_and_branches_are_refused(attribute: str) -> None:
    assert attribute in refused(f'{IMAGE}<Vector name="edge" toName="i" {attribute}="true"/>')[0]["expected"]
    assert kept(f'{IMAGE}<Vector name="edge" toName="i" {attribute}="false"/>')
