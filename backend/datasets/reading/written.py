"""How numbers and dates are written: `1,234.56` or `1.234,56`, `31/12/2025` or `12/31/2025`.

A column's `format` says it: of a time strptime's (`%d/%m/%Y`), of a number an example (`1.234,56`); empty is the plain way (`1234.56`,
ISO 8601). Which of several possible ways is meant is settled for the whole file, because one column alone often cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from backend.core.errors import Problem

NUMBERS = ("1234,56", "1.234,56", "1 234,56", "1'234,56", "1,234.56", "1 234.56", "1'234.56")
SPACES = " \u00a0\u202f"
QUOTES = "'\u2019"
MARKED = rf"[.,{QUOTES}{SPACES}]"
DAY_FIRST = ("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%y", "%d-%m-%Y", "%d-%m-%Y %H:%M")
MONTH_FIRST = ("%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%y", "%m-%d-%Y", "%m-%d-%Y %H:%M")
DOTTED = ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%y")
FORMS = ("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", *DOTTED, *MONTH_FIRST, *DAY_FIRST)
_PARTS = {"%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\d{1,2}", "%d": r"\d{1,2}", "%H": r"\d{1,2}", "%M": r"\d{2}", "%S": r"\d{2}"}


def marks(form: str) -> tuple[str, str]:
    """(decimal mark, thousands mark or '') of a number's form."""
    return (form[-3], form[1] if not form[1].isdigit() else "") if form else (".", "")


def form_of(decimal: str, thousands: str) -> str:
    """The form with these marks; '' for the plain one and for what is none."""
    form = f"1{thousands}234{decimal}56"
    return form if form in NUMBERS else ""


@lru_cache(maxsize=64)
def number_pattern(form: str, whole: bool = False) -> str:
    """The regular expression of numbers written so; `whole` ones without a fraction."""
    decimal, thousands = marks(form)
    point, between = _class(decimal), _class(thousands)
    digits = rf"([1-9]\d{{0,2}}({between}\d{{3}})+|\d+)" if thousands else r"\d+"
    if whole:
        return rf"^[+-]?{digits}$"
    return rf"^[+-]?({digits}{point}?\d*|{point}\d+)([eE][+-]?\d+)?$"


def plain_numbers(text: Any, form: str) -> Any:
    """Numbers written so (all of them fit) as `1234.56`."""
    import pyarrow.compute as pc

    decimal, thousands = marks(form)
    if thousands:
        text = pc.replace_substring_regex(text, _class(thousands), "")
    return pc.replace_substring(text, decimal, ".") if decimal != "." else text


def _class(mark: str) -> str:
    return {" ": f"[{SPACES}]", "'": f"[{QUOTES}]", "": ""}.get(mark, re.escape(mark))


@lru_cache(maxsize=64)
def date_pattern(form: str) -> str:
    """The shape of a time written so; strptime alone would take 25 for the year 25."""
    return "^" + re.sub(r"%[A-Za-z]|[^%]", lambda m: _PARTS.get(m[0], re.escape(m[0])), form) + "$"


def swapped(form: str) -> str:
    """The form with day and month the other way round."""
    return form.translate({ord("d"): "m", ord("m"): "d"})


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How the numbers and dates of a file are written. `strict`: a person said so, and nothing else counts as a number."""

    decimal: str = "."
    thousands: str | None = None
    """The only mark allowed ('' for none); None: any."""
    dates: str = ""
    """`day` or `month`: which comes first where a date could be read both ways; '' when nothing tells."""
    strict: bool = False

    def forms(self) -> list[str]:
        """Forms of numbers, the preferred first; '' is the plain one."""
        every = sorted(["", *NUMBERS], key=lambda form: marks(form)[0] != self.decimal)
        if not self.strict:
            return every
        return [f for f in every if marks(f)[0] == self.decimal and (self.thousands is None or marks(f)[1] in ("", self.thousands))]


def settle(guesses: Sequence[Any], options: dict[str, Any], delimiter: str) -> Ways:
    """What the columns together say, unless `options` do. A point and a comma that contradict each other leave the point, except
    beside semicolons, where each column counts for itself."""
    commas = [g for g in guesses if g.writes(",") and not g.writes(".")]
    points = [g for g in guesses if g.writes(".") and not g.writes(",")]
    either = [g for g in guesses if g.writes(".") and g.writes(",") and g.marked]
    comma = (commas and (delimiter == ";" or not points)) or (either and delimiter == ";" and not points)
    decimal = options.get("decimal") or ("," if comma else ".")
    first = {"day": 0, "month": 0}
    for guess in guesses:
        if side := guess.date_side():
            first[side] += 1
    dates = options.get("dates") or ""
    if not dates and (first["day"] > 0) != (first["month"] > 0):
        dates = "day" if first["day"] else "month"
    elif not dates and not first["month"] and (delimiter == ";" or decimal == ","):
        dates = "day"
    return Ways(
        decimal=decimal,
        thousands=options.get("thousands"),
        dates=dates,
        strict=bool(options.get("decimal") or options.get("thousands") is not None),
    )


HERE = "choose it under “How the file is read”, if that is wrong"


def notices(names: Sequence[str], guesses: Sequence[Any], ways: Ways, said: dict[str, Any]) -> list[Problem]:
    """What could be read in two ways, and which was chosen; nothing about what a person said."""
    found: list[Problem] = []
    for name, guess in zip(names, guesses, strict=True):
        kind = guess.result(ways)
        sides = guess.dates_both_ways()
        if sides and not said.get("dates"):
            day, month = _spoken(guess.example, sides[0]), _spoken(guess.example, sides[1])
            if kind["type"] == "datetime":
                chosen = f"it is read as {day if ways.dates == 'day' else month} ({ways.dates} first), as the rest of the file is written"
            else:
                chosen = "nothing in the file tells which, so it is read as text"
            found.append({"field": name, "message": f"{guess.example} can be {day} or {month}; {chosen}.", "expected": HERE})
        elif guess.marked and not said.get("decimal") and said.get("thousands") is None:
            if guess.writes(".") and guess.writes(",") and kind["type"] in ("integer", "number") and guess.two_numbers(ways):
                found.append(
                    {
                        "field": name,
                        "message": f"{guess.marked} is read as {guess.read(ways)}; it could be written the other way round.",
                        "expected": "the decimal mark: " + HERE,
                    }
                )
            elif "," in guess.marked and guess.writes(",") and kind["type"] not in ("integer", "number", "datetime"):
                found.append(
                    {
                        "field": name,
                        "message": f"{guess.marked} looks like a number with a decimal comma, but other columns have a decimal point;"
                        " it is read as text.",
                        "expected": "the decimal mark: " + HERE,
                    }
                )
    return found[:20]


def _spoken(text: str, form: str) -> str:
    """The day that a date means under a form, in words."""
    import datetime

    try:
        day = datetime.datetime.strptime(text.strip(), form)  # noqa: DTZ007 - a date as it is written, of no zone
    except ValueError:
        return form
    return f"{day.day} {day:%B} {day.year}"
