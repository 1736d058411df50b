"""Pairs and rankings: what fits, how far people agree, what they say together, and that it leaves and comes back as it was."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.sdk.test_label_formats import Files, found, plain, written
from workers.sdk.labels.agreement import agreement
from workers.sdk.labels.config import Bucket, LabelConfig, LabelControl, LabelObject, from_json
from workers.sdk.labels.consensus import Voice, fuse
from workers.sdk.labels.difference import difference, labels_of
from workers.sdk.labels.formats import FORMATS
from workers.sdk.labels.kept import outcome
from workers.sdk.labels.results import check
from workers.sdk.labels.shown import entries_of, shown
from workers.sdk.labels.travel import BadFile, Item, Said, Target

Json = dict[str, Any]
CONFIG = LabelConfig(
    objects=(
        LabelObject(name="ask", tag="Text", value="prompt"),
        LabelObject(name="one", tag="Text", value="a"),
        LabelObject(name="two", tag="Text", value="b"),
        LabelObject(name="answers", tag="List", value="items", title="Answers"),
    ),
    controls=(
        LabelControl(name="better", to="one", to_more=("two",), tag="Pairwise", type="pairwise", required=True),
        LabelControl(name="rank", to="answers", tag="Ranker", type="ranker"),
    ),
)
BUCKETS = LabelConfig(
    objects=CONFIG.objects,
    controls=(
        LabelControl(
            name="sort", to="answers", tag="Ranker", type="ranker", buckets=(Bucket(name="good", title="Good"), Bucket(name="bad"))
        ),
    ),
)
ITEMS = [{"id": "x", "title": "X", "body": "ex"}, {"id": "y", "title": "Y", "body": "why"}, {"id": 7, "title": "Z", "body": "zed"}]
DATA = {"prompt": "Say a letter.", "a": "A!", "b": "B.", "items": json.dumps(ITEMS)}


def chosen(side: str, id_: str = "p1") -> Json:
    return {"id": id_, "from_name": "better", "to_name": "better", "type": "pairwise", "value": {"selected": side}}


def ranked(*ids: str, **lists: list[str]) -> Json:
    name = "sort" if lists else "rank"
    return {"id": "k1", "from_name": name, "to_name": "answers", "type": "ranker", "value": {"ranker": lists or {"rank": list(ids)}}}


def parts(config: LabelConfig = CONFIG) -> Json:
    return {o.name: shown(o, DATA) for o in config.objects}


def item(*result: Json) -> Item:
    return Item(
        id=7, key="1", digest="e" * 64, media_type="application/json", data=DATA, shown=parts, said=(Said(id="1", result=list(result)),)
    )


def test_a_schema_with_pairs_and_buckets_comes_back_from_json_as_it_was() -> None:
    for config in (CONFIG, BUCKETS):
        assert from_json(json.loads(json.dumps(config.as_json()))) == config


def test_lists_are_read_as_label_studio_reads_them_and_from_plain_texts() -> None:
    assert [one["id"] for one in parts()["answers"]] == ["x", "y", "7"], "ids are texts"
    assert entries_of(["first", "second"]) == [{"id": "0", "title": "", "body": "first"}, {"id": "1", "title": "", "body": "second"}]
    assert entries_of([{"id": 1, "model": "m", "score": 2}])[0]["body"] == "model: m\nscore: 2", "other fields are not hidden"
    for wrong in ("no list", '{"a": 1}', "[", None, 5):
        assert entries_of(wrong) == []


def test_a_pair_and_a_ranking_fit_as_label_studio_writes_them() -> None:
    said = [chosen("left"), ranked("y", "7", "x")]
    assert check(CONFIG, said, parts()) == (said, [])
    sorted_ = [ranked(good=["y"], bad=[], _=["x", "7"])]
    kept, problems = check(BUCKETS, sorted_, parts())
    assert not problems and kept[0]["value"]["ranker"] == {"_": ["x", "7"], "good": ["y"], "bad": []}
    assert check(CONFIG, [], parts())[1][0]["field"] == "better"


@pytest.mark.parametrize(
    ("config", "wrong", "field"),
    [
        (CONFIG, chosen("both"), "value.selected"),
        (CONFIG, {**chosen("left"), "to_name": "one"}, "to_name"),
        (CONFIG, ranked("x", "y"), "value.ranker"),
        (CONFIG, ranked("x", "y", "y"), "value.ranker.rank.2"),
        (CONFIG, ranked("x", "y", "8"), "value.ranker.rank.2"),
        (CONFIG, {**ranked("x"), "value": {"ranker": ["x"]}}, "value.ranker"),
        (CONFIG, {**ranked("x"), "value": {"ranker": {"other": ["x", "y", "7"]}}}, "value.ranker.other"),
        (CONFIG, {**ranked("x"), "value": {"ranker": {"rank": [1]}}}, "value.ranker.rank"),
        (BUCKETS, ranked(good=["x"], bad=["x"]), "value.ranker.bad.0"),
        (BUCKETS, ranked(good=[], ugly=["x"]), "value.ranker.ugly"),
    ],
)
def test_what_is_no_preference_is_refused_by_its_field(config: LabelConfig, wrong: Json, field: str) -> None:
    assert [p["field"] for p in check(config, [wrong], parts(), complete=False)[1]] == [f"result.0.{field}"]


def test_people_agree_on_a_ranking_by_the_pairs_that_they_order_alike() -> None:
    rank = LabelConfig(objects=CONFIG.objects, controls=CONFIG.controls[1:])
    best = ranked("x", "y", "7")
    assert agreement(rank, [best], [best]) == 1
    assert agreement(rank, [best], [ranked("y", "x", "7")]) == pytest.approx(2 / 3)
    assert agreement(rank, [best], [ranked("7", "y", "x")]) == 0
    assert agreement(CONFIG, [chosen("left")], [chosen("right")]) == 0 and agreement(CONFIG, [chosen("left")], [chosen("left")]) == 1
    sorted_ = agreement(BUCKETS, [ranked(good=["x", "y"], bad=["7"])], [ranked(good=["y"], bad=["7"], _=["x"])])
    assert sorted_ == pytest.approx(2 / 3)


def test_several_people_become_one_by_majority_and_by_bordas_count() -> None:
    assert fuse(CONFIG, [Voice(result=[chosen(side)]) for side in ("left", "right", "right")]).result[0]["value"] == {"selected": "right"}
    rankings = [ranked("x", "y", "7"), ranked("y", "x", "7"), ranked("y", "7", "x")]  # points: x 2+1+0, y 1+2+2, 7 0+0+1
    assert fuse(CONFIG, [Voice(result=[r]) for r in rankings]).result[0]["value"]["ranker"] == {"rank": ["y", "x", "7"]}
    heavy = [Voice(result=[rankings[0]], weights={"rank": 5}), Voice(result=[rankings[2]], weights={"rank": 1})]
    assert fuse(CONFIG, heavy).result[0]["value"]["ranker"]["rank"][0] == "x"
    sorted_ = [ranked(good=["x"], bad=["y", "7"]), ranked(good=["x", "y"], bad=["7"]), ranked(good=["y", "x"], bad=["7"])]
    fused = fuse(BUCKETS, [Voice(result=[r]) for r in sorted_]).result[0]["value"]["ranker"]
    assert (sorted(fused["good"]), fused["bad"], fused["_"]) == (["x", "y"], ["7"], [])


@given(st.lists(st.permutations(["x", "y", "7"]), min_size=1, max_size=5))
def test_the_order_of_annotators_changes_no_ranking(orders: list[list[str]]) -> None:
    one, other = (fuse(CONFIG, [Voice(result=[ranked(*o)]) for o in some]).result for some in (orders, orders[::-1]))
    assert one == other and sorted(one[0]["value"]["ranker"]["rank"]) == ["7", "x", "y"]


def test_another_order_is_a_change_and_no_accepted_suggestion() -> None:
    assert outcome(CONFIG, [ranked("x", "y", "7")], [ranked("x", "y", "7")]) == "accepted"
    assert outcome(CONFIG, [ranked("x", "y", "7")], [ranked("y", "x", "7")]) == "adjusted"
    (change,) = difference([ranked("x", "y", "7")], [ranked("y", "x", "7")])
    assert (change.what, labels_of(change.after)) == ("answered", ["y", "x", "7"])
    assert labels_of(difference([chosen("left")], [chosen("right")])[0].after) == ["right"]


@pytest.mark.parametrize("name", ["labelstudio", "jsonl", "csv", "tsv"])
def test_preferences_leave_and_come_back_as_they_were(name: str) -> None:
    for order in permutations(["x", "y", "7"]):
        said = [chosen("right"), ranked(*order)]
        files, writing = written(name, [item(*said)], CONFIG)
        (only,) = found(name, files, CONFIG)
        kept, problems = check(CONFIG, only.result(Target(shown=parts)), parts())
        assert not problems and plain(kept) == plain(said) and not writing.lost
    sorted_ = [ranked(good=["y"], bad=[], _=["x", "7"])]
    (only,) = found(name, written(name, [item(*sorted_)], BUCKETS)[0], BUCKETS)
    assert only.result(Target())[0]["value"] == sorted_[0]["value"]


def test_label_studio_gets_the_entries_that_its_ids_speak_of() -> None:
    files, _ = written("labelstudio", [item(chosen("left"), ranked("x", "y", "7"))], CONFIG)
    (task,) = json.loads(files["labels.json"])
    assert task["data"]["items"] == [
        {"id": "x", "title": "X", "body": "ex"},
        {"id": "y", "title": "Y", "body": "why"},
        {"id": "7", "title": "Z", "body": "zed"},
    ]
    assert task["annotations"][0]["result"][0] == chosen("left")


def test_preference_pairs_go_out_as_dpo_reads_them() -> None:
    files, writing = written("preferences", [item(chosen("right"), ranked("y", "7", "x"))], CONFIG)
    lines = [json.loads(line) for line in files["preferences.jsonl"].splitlines()]
    assert lines[0] == {"prompt": "Say a letter.", "chosen": "B.", "rejected": "A!"}
    assert [(one["chosen"], one["rejected"]) for one in lines[1:]] == [("why", "zed"), ("why", "ex"), ("zed", "ex")]
    assert not writing.lost
    files, _ = written("preferences", [item(ranked(good=["x", "y"], bad=["7"]))], BUCKETS)
    assert [json.loads(x)["chosen"] for x in files["preferences.jsonl"].splitlines()] == ["ex", "why"], "between buckets, not inside them"
    plain_ = LabelConfig(objects=CONFIG.objects, controls=(LabelControl(name="stars", to="one", tag="Rating", type="rating"),))
    assert not FORMATS["preferences"].fits(plain_)
    with pytest.raises(BadFile):
        list(FORMATS["preferences"].read(Files({"a.jsonl": b""}), CONFIG))


@pytest.mark.parametrize("name", ["labelstudio", "jsonl", "csv", "tsv"])
def test_what_is_said_of_a_whole_row_comes_back_and_label_studio_gets_the_row(name: str) -> None:
    config = LabelConfig(
        objects=(LabelObject(name="t", tag="Table", value="row"),),
        controls=(LabelControl(name="stars", to="t", tag="Rating", type="rating"),),
    )
    said = {"id": "r1", "from_name": "stars", "to_name": "t", "type": "rating", "value": {"rating": 4}}
    row = Item(
        id=7, key="1", digest="e" * 64, media_type="application/json", data=DATA, shown=lambda: {"t": shown(config.objects[0], DATA)},
        said=(Said(id="1", result=[said]),),
    )  # fmt: skip
    files, _ = written(name, [row], config)
    (only,) = found(name, files, config)
    assert (only.ref.path, only.ref.digest) == ("1", "e" * 64)
    assert plain(check(config, only.result(Target()), {})[0]) == plain([said])
    if name == "labelstudio":
        assert json.loads(files["labels.json"])[0]["data"]["row"] == DATA
