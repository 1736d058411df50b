"""The type of a column, from all of its values: a type is kept as long as no value speaks against it."""

from __future__ import annotations

from typing import Any

from backend.datasets.reading.cast import NULLS, cast

CHOICES = 1_000  # beyond this many different values text is no category
LONG = 100  # characters of a category's value
# Day and month cannot be told apart in 03/04/2024; a form is taken only when all values fit it and no other.
FORMS = (
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%y",
    "%d/%m/%y",
)
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
        if self.typed:
            self.open = [kind for kind in self.open if kind == "json"]
        self.open = [kind for kind in self.open if self._fits(kind, text)]

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
        """A cheap look at one value before trying all: a year in front, or the separators of the form."""
        first = str(text[0].as_py())
        if not form:
            return len(first) >= 8 and first[:4].isdigit() and not first.isdigit()
        return all(c in first for c in "/.: " if c in form) and (":" in form) == (":" in first)

    def result(self) -> dict[str, Any]:
        """`{type, nullable, format}`."""
        kind, form = self._kind()
        return {"type": kind, "nullable": self.missing > 0, "format": form}

    def _kind(self) -> tuple[str, str]:
        if self.natural and self.natural not in ("text", "category"):
            return self.natural, ""
        present = self.count - self.missing
        if not present:
            return "text", ""
        for kind in self.open:
            if kind == "datetime":
                if len(self.forms) == 1 or self.forms[0] in ("", *FORMS[:4]):
                    return kind, self.forms[0]
                continue  # could be day/month or month/day: the person says
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
