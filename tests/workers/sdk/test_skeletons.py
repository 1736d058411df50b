"""Key points of one thing: kept together through COCO, checks and consensus."""

from __future__ import annotations

import json
from typing import Any

from backend.labeling.schema_xml import read
from tests.workers.sdk.test_label_formats import HEIGHT, WIDTH, back, one, picture, written
from workers.sdk.labels import skeleton
from workers.sdk.labels.config import LabelConfig, from_json
from workers.sdk.labels.consensus import Voice, fuse
from workers.sdk.labels.results import check

Json = dict[str, Any]
XML = """<View><Image name="image" value="$picture"/>
  <KeyPointLabels name="pose" toName="image" skeleton="nose-left-eye, nose-right-eye">
    <Label value="nose"/><Label value="left-eye"/><Label value="right-eye"/></KeyPointLabels></View>"""


def config() -> LabelConfig:
    told = read(XML)
    assert told["problems"] == [], "Label Studio's own parser opens it too"
    return from_json(json.loads(json.dumps(told["config"])))


def point(label: str, x: float, y: float, id_: str, parent: str = "", hidden: bool = False) -> Json:
    made = one("keypointlabels", {"x": x, "y": y, "keypointlabels": [label]}, id_, "pose")
    made |= {"original_width": WIDTH, "original_height": HEIGHT}
    return {**made, **({"parentID": parent} if parent else {}), **({"meta": {"text": ["occluded"]}} if hidden else {})}


PEOPLE = [
    point("nose", 50, 20, "a1"), point("right-eye", 55, 15, "a2", "a1", hidden=True), point("left-eye", 45, 15, "a3", "a1"),
    point("left-eye", 20, 70, "b1"), point("nose", 22, 75, "b2", "b1"),
]  # fmt: skip


def grouped(result: list[Json]) -> list[list[tuple[str, float, bool]]]:
    groups = skeleton.instances(result).values()
    return sorted(sorted((r["value"]["keypointlabels"][0], round(r["value"]["x"]), skeleton.hidden(r)) for r in some) for some in groups)


def test_a_skeleton_joins_labels_of_the_schema_only() -> None:
    assert config().controls[0].skeleton == (("nose", "left-eye"), ("nose", "right-eye"))
    told = read(XML.replace("nose-right-eye", "nose-mouth"))
    assert [(p["field"], "nose-mouth" in p["message"]) for p in told["problems"]] == [("line 2", True)]


def test_instances_go_to_coco_with_skeleton_and_visibility_and_come_back() -> None:
    kept, problems = check(config(), PEOPLE, {})
    assert problems == [] and kept == PEOPLE
    files, writing = written("coco", [picture(PEOPLE)], config())
    told = json.loads(files["labels.json"])
    assert not writing.lost
    assert told["categories"] == [
        {"id": 1, "name": "pose", "supercategory": "", "keypoints": ["nose", "left-eye", "right-eye"], "skeleton": [[1, 2], [1, 3]]}
    ]
    first, second = told["annotations"]
    assert first["keypoints"][2::3] == [2, 2, 1] and first["num_keypoints"] == 3
    assert second["keypoints"][2::3] == [2, 2, 0] and second["num_keypoints"] == 2
    assert grouped(back("coco", picture(PEOPLE), config())) == grouped(PEOPLE)
    for name in ("labelstudio", "jsonl", "csv"):
        assert grouped(back(name, picture(PEOPLE), config())) == grouped(PEOPLE), name


def test_consensus_keeps_the_points_of_one_thing_together_whoever_began_where() -> None:
    other = [
        point("left-eye", 45.5, 15, "p"), point("nose", 50.2, 20, "q", "p"), point("right-eye", 55, 15.2, "r", "p"),
        point("nose", 22, 75, "s"), point("left-eye", 20, 70, "t", "s"),
    ]  # fmt: skip
    fused = fuse(config(), [Voice(result=PEOPLE), Voice(result=other)])
    groups = [sorted(label for label, _, _ in some) for some in grouped(fused.result)]
    assert sorted(groups) == [["left-eye", "nose"], ["left-eye", "nose", "right-eye"]]
    assert check(config(), fused.result, {})[1] == []


def test_a_parent_is_named_by_an_id() -> None:
    _, problems = check(config(), [point("nose", 1, 1, "a", "no id!")], {})
    assert [p["field"] for p in problems] == ["result.0.parentID"]
