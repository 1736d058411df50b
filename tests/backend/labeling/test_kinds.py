"""Kinds of questions beyond boxes and choices: how their XML is read, and what is refused with its line. Label Studio's parser agrees."""

from __future__ import annotations

from typing import Any

import pytest

from backend.labeling.schema_xml import read
from workers.sdk.labels.config import LabelConfig, from_json
from workers.sdk.labels.shown import shown


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


FIRST = 'default="true"'
LIST = '<List name="l" value="$l"/>'
TEXTS = '<Text name="p" value="$prompt"/><Text name="a" value="$a"/><Text name="b" value="$b"/>'


def test_a_pair_is_of_two_objects_and_a_ranking_of_a_list() -> None:
    config = kept(
        f'{TEXTS}<Pairwise name="better" toName="a,b" required="true"/><List name="l" value="$items" title="Answers"/>'
        '<Ranker name="rank" toName="l"><Bucket name="good" title="Good ones"/><Bucket name="bad" default="true"/></Ranker>'
    )
    better, rank = config.controls
    assert (better.to, better.to_more, better.to_name, better.type) == ("a", ("b",), "better", "pairwise")
    assert [(b.name, b.title, b.default) for b in rank.buckets] == [("good", "Good ones", False), ("bad", "bad", True)]
    assert (rank.to_name, config.objects[3].title) == ("l", "Answers")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f'{TEXTS}<Pairwise name="x" toName="a"/>', "compares two objects"),
        (f'{TEXTS}<Pairwise name="x" toName="a,a"/>', "compares two objects"),
        (f'{TEXTS}<Pairwise name="x" toName="a,z"/>', "names no object (“z”)"),
        (f'{TEXTS}<Pairwise name="x" toName="a,b" perRegion="true"/>', "has no attribute perRegion"),
        (f'{TEXTS}<Pairwise name="x" toName="a,b"/><Pairwise name="y" toName="b,p"/>', "compared by “x” already"),
        (f'{TEXTS}<Ranker name="x" toName="a"/>', "cannot speak of <Text>"),
        (f'{LIST}<Ranker name="x" toName="l"><Bucket name="_"/></Ranker>', "needs a name"),
        (f'{LIST}<Ranker name="x" toName="l"><Label value="a"/></Ranker>', "does not belong"),
        (f'{LIST}<Ranker name="x" toName="l"><Bucket name="a" {FIRST}/><Bucket name="b" {FIRST}/></Ranker>', "default"),
        ('<Table name="t" value="$t" valueType="csv"/><Rating name="r" toName="t"/>', "as JSON"),
        ('<Table name="t" value="$t"/><Labels name="r" toName="t"><Label value="x"/></Labels>', "cannot speak of <Table>"),
    ],
)
def test_what_cannot_be_compared_or_shown_is_said_when_it_is_saved(body: str, message: str) -> None:
    assert message in refused(body)[0]["message"]


def test_a_table_shows_a_whole_row_beside_questions() -> None:
    config = kept(
        '<Table name="t" value="$row"/><Choices name="k" toName="t"><Choice value="x"/></Choices><Rating name="r" toName="t"/>'
        '<Number name="n" toName="t"/><TextArea name="w" toName="t"/>'
    )
    assert shown(config.objects[0], {"a": 1, "b": None}) == {"a": 1, "b": None}
    assert shown(config.objects[0], {"row": '{"c": 2}', "b": None}) == {"c": 2}, "a column of this name is what is meant"
    assert shown(config.objects[0], {"row": "words"}) is None


def test_pages_of_a_document_are_drawn_on_like_images() -> None:
    config = kept(
        '<Pdf name="d" value="$pdf"/><RectangleLabels name="r" toName="d"><Label value="x"/></RectangleLabels><Rating name="s" toName="d"/>'
    )
    assert [c.type for c in config.controls] == ["rectanglelabels", "rating"]
    assert (
        "cannot speak of <Pdf>"
        in refused('<Pdf name="d" value="$pdf"/><Labels name="r" toName="d"><Label value="x"/></Labels>')[0]["message"]
    )
