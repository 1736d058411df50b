"""The row language: what it chooses, what it refuses, and where its errors point."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pytest

from workers.sdk.expression import ExpressionError, parse

TABLE = pa.table({
    "age": pa.array([10, 20, None, 40, 50]),
    "pay": pa.array([1.5, float("nan"), 3.0, None, -2.0]),
    "sex": pa.array(["F", "M", "F", None, "Mé"]).dictionary_encode(),
    "active": pa.array([True, False, None, True, False]),
    "day": pa.array([datetime.datetime(2024, m, 1) for m in range(1, 6)], pa.timestamp("us")),  # noqa: DTZ001 - columns carry no zone
    "hours per week": pa.array([1, 2, 3, 4, 5]),
})  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("age > 15 and age <= 40", [1, 3]),
        ("not age > 15", [0]),
        ("age is missing or pay is missing", [1, 2, 3]),
        ("pay is not missing", [0, 2, 4]),
        ('sex == "F"', [0, 2]),
        ("sex in ('M', \"Mé\") and not active", [1, 4]),
        ("age not in (10, 20)", [3, 4]),
        ("active", [0, 3]),
        ("active == false", [1, 4]),
        ('day >= "2024-03-01" and day < "2024-05-01T00:00:00+00:00"', [2, 3]),
        ("`hours per week` * 2 - 1 >= 7", [3, 4]),
        ("`hours per week` % 2 == 0", [1, 3]),
        ("age / 0 > 1", [0, 1, 3, 4]),
        ("-age < -15", [1, 3, 4]),
        ("age == -10", []),
        ('contains(lower(sex), "m")', [1, 4]),
        ('startswith(sex, "M") and length(sex) == 2', [4]),
        ("round(pay) == 2 OR abs(pay) == 2", [0, 4]),
        ("(age > 15 or age < 15) and (true)", [0, 1, 3, 4]),
        ("true", [0, 1, 2, 3, 4]),
        ("1 > 2", []),
    ],
)
def test_it_chooses(text: str, rows: list[int]) -> None:
    assert [i for i, chosen in enumerate(parse(text).mask(TABLE).to_pylist()) if chosen] == rows


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "empty"),
        ("age = 3", 4, "use =="),
        ("ages > 3", 0, "did you mean age"),
        ("hours > 3", 0, "did you mean `hours per week`"),
        ("age > '3'", 6, "without"),
        ("age >", 5, "ends too early"),
        ("age", 0, "not a condition"),
        ("1 < age < 5", 8, "chained"),
        ("(age > 3", 8, "bracket opened at character 1"),
        ('sex == "F', 7, "not closed"),
        ('day > "yesterday"', 6, "not a time"),
        ("lowr(sex) == 'f'", 0, "did you mean `lower`"),
        ("lower(age) == 'f'", 6, "lower takes text"),
        ("contains(sex)", 0, "takes 2"),
        ("age > 3 sex == 'F'", 8, "join"),
        ("age in 3", 7, "after `in`"),
        ("__import__('os')", 0, "no function"),
        ("__import__('os').system('x')", 16, "means nothing"),
        ("1" + "+1" * 1000 + " > age", 401, "too much arithmetic"),
        ("sex.__class__ == 'x'", 3, "means nothing"),
        ("age and active", 0, "not true or false"),
        ("(" * 200 + "age > 1" + ")" * 200, 60, "too many brackets"),
    ],
)
def test_it_refuses_and_points_at_the_place(text: str, position: int, says: str) -> None:
    with pytest.raises(ExpressionError, match=says.replace("(", r"\(")) as caught:
        parse(text).mask(TABLE)
    assert caught.value.position == position


def test_it_names_its_columns_and_works_on_nothing() -> None:
    wanted = parse("`hours per week` > 3 and (age < 3 or age > 5)")
    assert wanted.columns == ["hours per week", "age"]
    assert wanted.mask(TABLE.slice(0, 0)).to_pylist() == []
    assert parse("true").mask(TABLE.slice(0, 0)).to_pylist() == []
