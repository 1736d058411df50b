"""The type of a column, from all of its values: a type, and a way to write it, is kept as long as no value speaks against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backend.datasets.reading.cast import NULLS, cast
from backend.datasets.reading.written import (
    DAY_FIRST,
    DOTTED,
    FORMS,
    MARKED,
    MONTH_FIRST,
    NUMBERS,
    Ways,
    date_pattern,
    marks,
    number_pattern,
    plain_numbers,
    swapped,
)

CHOICES = 1_000  # beyond this many different values text is no category
LONG = 100  # characters of a category's value
LEADING_ZERO = r"^[+-]?0\d"
LONG_DIGITS = r"^[+-]?\d{19,}$"


class Guess:
    """One column's guess, fed batch by batch."""

    def __init__(self, nulls: tuple[str, ...] = NULLS, *, typed: bool = False) -> None:
        """`typed`: the values come from a format that knows text from numbers, so text stays text."""
        self.nulls, self.typed = nulls, typed
        self.natural = ""
        self.open = ["integer", "number", "boolean", "datetime", "json"]
        self.forms: list[str] = ["", *FORMS]
        self.numbers: dict[str, bool] = {} if typed else dict.fromkeys(NUMBERS, True)
        """Ways to write numbers that all values fit, and whether all are whole."""
        self.marked = self.example = ""
        self.unmarked = False
        self.values: set[str] | None = set()
        self.longest = self.count = self.missing = 0

    def add(self, values: Any) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        self.count += len(values)
        if not pa.types.is_string(values.type):
            from backend.artifacts.tables import type_name

            if pa.types.is_null(values.type):
                self.missing += len(values)
                return
            self.natural = type_name(values.type)
            self.missing += values.null_count
            return
        text, _ = cast(values, "category", self.nulls)
        self.missing += text.null_count
        text = text.drop_null()
        if not len(text):
            return
        if self.values is not None:
            self.values.update(pc.unique(text).to_pylist())
            if len(self.values) > CHOICES:
                self.values = None
        if self.values is not None or self.longest <= LONG:
            self.longest = max(self.longest, pc.max(pc.utf8_length(text)).as_py() or 0)
        self.example = self.example or str(text[0].as_py())
        if self.typed:
            self.open = [kind for kind in self.open if kind == "json"]
        self.open = [kind for kind in self.open if self._fits(kind, text)]
        if self.numbers:
            self._write(text)

    def _write(self, text: Any) -> None:
        """Keep the ways to write numbers that these values fit. Values without any mark fit all of them, or none."""
        import pyarrow.compute as pc

        if pc.any(pc.match_substring_regex(text, f"{LEADING_ZERO}|{LONG_DIGITS}")).as_py():
            self.numbers = {}
            return
        signs = pc.match_substring_regex(text, MARKED)
        self.unmarked = self.unmarked or not pc.all(signs).as_py()
        tried = list(self.numbers)
        if not pc.any(signs).as_py():
            tried = [""]
        else:
            self.marked = self.marked or str(text.filter(signs)[0].as_py())
            if "number" in self.open:  # plainly written so far: the others with a point fit too, and only cost time
                tried = [form for form in tried if marks(form)[0] == ","]
        fit = {form: pc.all(pc.match_substring_regex(text, number_pattern(form))).as_py() for form in tried}
        whole = {form: pc.all(pc.match_substring_regex(text, number_pattern(form, whole=True))).as_py() for form in tried if fit[form]}
        if tried == [""]:
            self.numbers = {form: was and whole[""] for form, was in self.numbers.items()} if fit[""] else {}
        else:
            self.numbers = {form: was and whole.get(form, False) for form, was in self.numbers.items() if fit.get(form, True)}

    def _fits(self, kind: str, text: Any) -> bool:
        import pyarrow.compute as pc

        if kind == "boolean":
            return bool(pc.all(pc.is_in(pc.utf8_lower(text), value_set=_words())).as_py())
        if kind == "json":
            if not pc.all(pc.match_substring_regex(text, r"^[\[{]")).as_py():
                return False
        elif kind in ("integer", "number") and pc.any(pc.match_substring_regex(text, f"{LEADING_ZERO}|{LONG_DIGITS}")).as_py():
            return False  # 007 and 12345678901234567890 are names, not amounts
        if kind == "integer" and pc.any(pc.match_substring(text, ".")).as_py():
            return False
        if kind == "datetime":
            self.forms = [form for form in self.forms if self._shaped(form, text) and cast(text, kind, self.nulls, form)[1] is None]
            return bool(self.forms)
        return cast(text, kind, self.nulls)[1] is None

    @staticmethod
    def _shaped(form: str, text: Any) -> bool:
        """A cheap look at one value before trying all."""
        import pyarrow.compute as pc

        first = str(text[0].as_py())
        if not form:
            return len(first) >= 8 and first[:4].isdigit() and not first.isdigit()
        if not pc.match_substring_regex(text[0], date_pattern(form)).as_py():
            return False
        return bool(pc.all(pc.match_substring_regex(text, date_pattern(form))).as_py())

    # What the file as a whole is settled from

    def _number(self, form: str) -> str:
        """`integer` or `number` when all values are written so, else ''."""
        if not form:
            return next((kind for kind in ("integer", "number") if kind in self.open), "")
        return ("integer" if self.numbers[form] else "number") if form in self.numbers else ""

    def writes(self, decimal: str) -> bool:
        """Whether these can be numbers with this decimal mark, and at least one has a mark."""
        return bool(self.marked) and any(marks(form)[0] == decimal and self._number(form) for form in ("", *NUMBERS))

    def date_side(self) -> str:
        """`day` or `month` where the dates can only be read with that first."""
        if "datetime" not in self.open or not self.forms or self.dates_both_ways():
            return ""
        return "day" if self.forms[0] in (*DAY_FIRST, *DOTTED) else "month" if self.forms[0] in MONTH_FIRST else ""

    def dates_both_ways(self) -> tuple[str, str] | None:
        """(day first, month first) where every date fits both."""
        if "datetime" not in self.open or not self.example:
            return None
        return next(((form, swapped(form)) for form in self.forms if form in DAY_FIRST and swapped(form) in self.forms), None)

    def way(self, ways: Ways) -> tuple[str, str] | None:
        """(type, form) as a number under the file's ways."""
        if not self.count - self.missing:
            return None
        for form in ways.forms():
            kind, (decimal, thousands) = self._number(form), marks(form)
            if not kind or (self.marked and decimal == "," and ways.decimal != ","):
                continue
            if thousands and thousands in " '" and kind == "integer" and not self.unmarked and ways.thousands != thousands:
                continue  # 555 123 456 in every row is rather a telephone number
            return kind, form if self.marked else ""
        return None

    def two_numbers(self, ways: Ways) -> bool:
        """Whether the other decimal mark would give other numbers, and the chosen one is not the plain way."""
        found = self.way(ways)
        other = replace(ways, decimal="." if ways.decimal == "," else ",")
        return found is not None and bool(found[1]) and self.read(ways) != self.read(other)

    def read(self, ways: Ways) -> str:
        """The first value with a mark as it is read, plainly written."""
        import pyarrow as pa

        found = self.way(ways)
        return str(plain_numbers(pa.array([self.marked]), found[1])[0]) if found else self.marked

    def result(self, ways: Ways | None = None) -> dict[str, Any]:
        """`{type, nullable, format}`."""
        kind, form = self._kind(ways or Ways())
        return {"type": kind, "nullable": self.missing > 0, "format": form}

    def _kind(self, ways: Ways) -> tuple[str, str]:
        if self.natural and self.natural not in ("text", "category"):
            return self.natural, ""
        present = self.count - self.missing
        if not present:
            return "text", ""
        if number := self.way(ways):
            return number
        for kind in self.open:
            if kind == "datetime":
                both = self.dates_both_ways()
                if both is None:
                    return kind, self.forms[0]
                if ways.dates:
                    return kind, both[0 if ways.dates == "day" else 1]
            elif kind not in ("integer", "number"):
                return kind, ""
        few = self.values is not None and (len(self.values) * 2 <= present or present < 20) and self.longest <= LONG
        return ("category" if few or self.natural == "category" else "text"), ""


def _words() -> Any:
    import pyarrow as pa

    return pa.array(["true", "false"])


LABELS = ("target", "label", "class", "y", "outcome", "income", "species", "category", "survived", "diagnosis", "churn", "default")


def suggest_label(columns: list[dict[str, Any]]) -> str | None:
    """The column that is probably to be predicted, only by its name: a suggestion, to be corrected."""
    for word in LABELS:
        for column in columns:
            if column["name"].strip().lower() == word:
                return str(column["name"])
    return None
