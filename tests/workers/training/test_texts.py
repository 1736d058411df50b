"""Free text as features: the same numbers everywhere, learned from the training rows alone, in any script."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from workers.sdk import texts
from workers.training import recipe as recipes
from workers.training import texts as learning
from workers.training.rows import raw_rows

TICKETS = [
    *(f"The {thing} on my last invoice is wrong, please send the money back" for thing in ("amount", "tax", "date", "discount", "address")),
    *(f"I cannot log in any more, the {thing} is refused" for thing in ("password", "code", "user name", "token", "second factor")),
    *(f"Die Rechnung vom {month} ist falsch, bitte Geld zurück" for month in ("Mai", "Juni", "Juli", "August")),
    "パスワードを忘れました。ログインできません",
    "請求書の金額が間違っています。返金してください",
]
ODD = {
    "german": "Straße, Öl und ein Änderungswunsch",
    "japanese": "パスワードが違います",
    "thai": "ลืมรหัสผ่าน",
    "hindi": "मैं लॉग इन नहीं कर सकता",
    "emoji": "🙈",
    "family": "👩‍👩‍👧‍👦 refund!!",
    "empty": "",
    "blank": " \n\t ",
    "html": "<html><body><p>Please <b>refund</b> my invoice &amp; password</p></body></html>",
    "null byte": "refund\0my invoice",
    "half a character": "refund \ud800 invoice",
    "very long": "please refund my invoice " * 20_000,
    "one word of a megabyte": "x" * 1_000_000,
    "swells when normalised": "\ufdfa" * 12_000,
}


@pytest.fixture(scope="module")
def reader() -> texts.Reader:
    found = learning.fit(TICKETS, 8)
    assert isinstance(found, texts.Reader) and found.dimensions == 8
    return found


def test_every_script_and_every_length_is_read_alone_as_among_others(reader: texts.Reader) -> None:
    together = reader(list(ODD.values()))
    assert together.shape == (len(ODD), 8) and together.dtype == np.float32 and np.isfinite(together).all()
    for name, row in zip(ODD, together, strict=True):
        np.testing.assert_array_equal(reader([ODD[name]])[0], row, err_msg=name)
        assert row.any() == (name not in {"empty", "blank", "emoji", "thai", "hindi", "swells when normalised"}), name
    assert np.linalg.norm(together, axis=1).max() <= learning.LENGTH * 1.01
    kept = learning.fit([*TICKETS, *(ODD[n] for n in ("thai", "hindi", "emoji"))], 20)
    assert isinstance(kept, texts.Reader)
    near = kept([*TICKETS, ODD["thai"], ODD["hindi"], ODD["emoji"]])
    for text, like in (
        ("ลืมรหัสแล้ว", 16),
        ("लॉग इन नहीं", 17),
        ("🙈 🙈", 18),
        (ODD["japanese"], 14),
        ("ＲＥＦＵＮＤ　ｍｙ ＩＮＶＯＩＣＥ wrong", 0),
    ):
        alike = near @ kept([text])[0]
        assert alike.argmax() in ((like,) if like else range(5)), text


def test_case_width_and_spaces_say_nothing_and_the_cut_is_where_it_is_said() -> None:
    same = {"STRASSE  geld\n", "straße geld", "ｓｔｒａｓｓｅ geld"}
    assert {texts.normal(text) for text in same} == {"strasse geld"}
    long = "ab " * texts.MOST_CHARACTERS
    assert len(texts.normal(long)) == texts.MOST_CHARACTERS and texts.normal(long) == texts.normal(long[: texts.MOST_CHARACTERS])
    assert len(texts.normal("\ufdfa" * texts.MOST_CHARACTERS)) == texts.MOST_CHARACTERS


def told() -> str:
    """A digest of what is made of all texts of this file, with what is learned of them."""
    found = learning.fit(TICKETS, 8)
    assert isinstance(found, texts.Reader)
    counted = [tuple(side.tolist() for side in block) for block in texts.counts([*TICKETS, *ODD.values()])]
    return hashlib.sha256(repr((counted, found.json(), found([*TICKETS, *ODD.values()]).tolist())).encode()).hexdigest()


def test_another_process_with_another_hash_seed_makes_the_same_of_them() -> None:
    script = "from tests.workers.training.test_texts import told; print(told())"
    seeds = ({"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} for seed in ("1", "4242"))
    found = {subprocess.check_output([sys.executable, "-c", script], env={**os.environ, **seed}, text=True).strip() for seed in seeds}
    assert len(found) == 1


def test_the_buckets_are_those_of_all_time() -> None:
    """Models in production were trained with these: whoever changes them gives the format another name and keeps the old one."""
    ((owners, buckets, times),) = texts.counts(["Hello, hello Zürich!", "", "日本"])
    assert texts.FORMAT == "headrace-text/1"
    found = (len(buckets), owners.tolist().count(2), int(times.max()), sorted(buckets.tolist())[:5])
    assert found == (60, 7, 2, [579, 4328, 8092, 13064, 17816])


def slow_counts(text: str) -> dict[int, int]:
    """The same with Python's whole numbers, one run of characters after the other."""
    around, most = f" {texts.normal(text)} ", 1 << 64
    base, back = texts._BASE, pow(texts._BASE, -1, 1 << 64)

    def polynomial(start: int, end: int) -> int:
        return sum((ord(around[i]) + 1) * pow(base, i, most) for i in range(start, end)) * pow(back, start, most) % most

    def mixed(one: int) -> int:
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            one = (one ^ one >> 33) * factor % most
        return one ^ one >> 33

    found = [polynomial(i, i + size) ^ (0x43 * 256 + size) for size in (2, 3, 4) for i in range(len(around) - size + 1)]
    edges, inside = [], False
    for i, character in enumerate(around):
        if (character.isalnum() or character == "_") != inside:
            inside = not inside
            edges.append(i)
    words = [polynomial(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    found += [word ^ 0x57 for word in words]
    found += [(mixed(one) * texts._PAIR + two) % most ^ 0x5757 for one, two in itertools.pairwise(words)]
    counted: dict[int, int] = {}
    for one in found:
        counted[mixed(one) >> 44] = counted.get(mixed(one) >> 44, 0) + 1
    return counted


@pytest.mark.parametrize("text", ["", "a", "Hello, hello Zürich!", "日本", TICKETS[0], TICKETS[-1]])
def test_the_quick_way_counts_as_the_plain_one(text: str) -> None:
    among = ["before it", text, "and after"]
    found = {
        bucket: times
        for blocks in texts.counts(among)
        for owner, bucket, times in zip(*(side.tolist() for side in blocks), strict=True)
        if owner == 1
    }
    assert found == slow_counts(text)


def table(rows: list[str], **columns: Any) -> pa.Table:
    return pa.table({"text": pa.array(rows, pa.string()), **columns})


def test_a_recipe_learns_from_its_rows_alone_and_names_no_word() -> None:
    """Weights and directions of the training rows: adding test rows to what is learned from would change them."""
    types = {"text": "text"}
    learned, more = (recipes.fit(table(rows), types) for rows in (TICKETS, [*TICKETS, "refund refund unheard"]))
    (one,), (other,) = learned["columns"], more["columns"]
    assert learned["format"] == "headrace-recipe/2" and one["text"] == "headrace-text/1" and one["use"] == "text"
    assert one["weights"] != other["weights"] and len(one["buckets"]) < len(other["buckets"])
    again = recipes.fit(table(TICKETS), types)
    assert {**again, "rows": 0} == {**learned, "rows": 0}
    known = {bucket for _, buckets, _ in texts.counts(TICKETS) for bucket in buckets.tolist()}
    unseen = {bucket for _, buckets, _ in texts.counts(["unheard"]) for bucket in buckets.tolist()} - known
    assert unseen <= set(texts.reader(other).buckets.tolist()) and not unseen & set(texts.reader(one).buckets.tolist())
    assert learned["features"] == [f"text · {n + 1}" for n in range(one["dimensions"])] and one["dimensions"] == len(TICKETS) - 1


@pytest.mark.parametrize(
    ("rows", "type_", "use"),
    [
        (TICKETS * 4, "text", "mostly the same"),
        (TICKETS, "text", "text"),
        (TICKETS, "category", "text"),
        ([f"T-{n:05}" for n in range(60)], "text", "too short"),
        ([f"T-{n:05}" for n in range(60)], "category", "nearly every row has a value of its own"),
        (["open", "closed", "in progress"] * 20, "category", "category"),
        ([f"パスワードを{n}回忘れました" for n in range(60)], "category", "text"),
        ([None, ""] * 30, "text", "every value is missing"),
        (["so much the same", "so much the other"] * 30, "category", "category"),
    ],
)
def test_what_is_free_text_is_seen_by_its_values(rows: list[str | None], type_: str, use: str) -> None:
    number = pa.array(np.arange(len(rows), dtype=float))
    learned = recipes.fit(table(rows, number=number), {"text": type_, "number": "number"})
    used = {c["name"]: c["use"] for c in learned["columns"]}
    left = {c["name"]: c["why"] for c in learned["left_out"]}
    assert use in (used | left)["text"], (used, left)
    assert recipes.apply(learned, raw_rows(table(rows, number=number), learned["columns"])).shape == (len(rows), len(learned["features"]))


def test_by_hand_a_column_becomes_text_or_none_does() -> None:
    rows = [f"T-{n % 7}" for n in range(60)]
    chosen = recipes.fit(table(rows), {"text": "category"}, as_texts=["text"])
    assert [c["use"] for c in chosen["columns"]] == ["text"]
    number = pa.array(np.arange(len(TICKETS), dtype=float))
    none = recipes.fit(table(TICKETS, number=number), {"text": "text", "number": "number"}, free_texts=False)
    assert none["left_out"] == [{"name": "text", "why": "free text is not used"}] and none["format"] == "headrace-recipe/1"
