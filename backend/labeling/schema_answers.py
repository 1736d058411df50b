"""The parts of a label schema that ask which of two is better and in what order several are, and what they show: attributes that are
known, buckets, and what no tag shows alone. `schema_xml` reads the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workers.sdk.labels.config import Bucket, LabelControl
from workers.sdk.labels.preferences import REST
from workers.sdk.labels.shown import ROW

Wrong = Callable[[int, str, str], None]
ASKED = {"name", "toName", "required", "requiredMessage", "hint", "whenTagName", "whenLabelValue", "whenChoiceValue", "visibleWhen"}
KNOWN: dict[str, set[str]] = {
    "List": {"name", "value", "title"},
    "Table": {"name", "value", "valueType"},
    "Pdf": {"name", "value"},
    "Pairwise": ASKED | {"selectionStyle", "leftClass", "rightClass"},
    "Ranker": ASKED | {"collapsible"},
    "Bucket": {"name", "title", "default"},
}
MOST_BUCKETS = 12


def table(element: Any, wrong: Wrong) -> None:
    """What a Table shows lies in the data, as JSON."""
    if element.get("valueType") not in (None, "json"):
        wrong(element.sourceline, "Tables are shown from the data itself, as JSON.", f'valueType="json"; value="${ROW}" shows a whole row')


def compared(element: Any, wrong: Wrong) -> tuple[str, ...]:
    """The names of a pair's two objects."""
    names = tuple(name.strip() for name in (element.get("toName") or "").split(","))
    if len(names) != 2 or names[0] == names[1]:
        wrong(element.sourceline, "<Pairwise> compares two objects.", 'toName="left,right", the names of two')
    return names if len(names) == 2 else (names[0], names[0])


def buckets(element: Any, wrong: Wrong) -> tuple[Bucket, ...]:
    found: list[Bucket] = []
    for one in element:
        name, line = (one.get("name") or "").strip(), one.sourceline
        if one.tag != "Bucket":
            wrong(line, f"<{one.tag}> does not belong in <Ranker>.", '<Bucket name="…" title="…"/>')
            continue
        if unknown := sorted(set(one.attrib) - KNOWN["Bucket"]):
            wrong(line, f"<Bucket> has no attribute {unknown[0]}.", "one of " + ", ".join(sorted(KNOWN["Bucket"])))
        if not name or name == REST or len(name) > 200:
            wrong(line, "<Bucket> needs a name.", f'name="…", at most 200 characters, not {REST}')
        elif any(bucket.name == name for bucket in found):
            wrong(line, f"The bucket “{name}” is there twice.", "every name once")
        elif one.get("default") not in (None, "true", "false"):
            wrong(line, f'default="{one.get("default")[:40]}" is neither true nor false.', "true or false")
        found.append(Bucket(name=name, title=(one.get("title") or name)[:200], default=one.get("default") == "true"))
    if sum(bucket.default for bucket in found) > 1:
        wrong(element.sourceline, "Two buckets are the default.", "default in one of them")
    if len(found) > MOST_BUCKETS:
        wrong(element.sourceline, f"<Ranker> has {len(found)} buckets.", f"at most {MOST_BUCKETS}")
    return tuple(found[:MOST_BUCKETS])


def alone(controls: list[LabelControl], lines: dict[str, int], wrong: Wrong) -> None:
    """What is seen of several controls together only: an object is in one pair, a list is ranked once."""
    taken: dict[str, str] = {}
    for control in controls:
        for name in (control.to, *control.to_more) if control.type in ("pairwise", "ranker") else ():
            if name in taken:
                wrong(lines.get(control.name, 1), f"“{name}” is compared by “{taken[name]}” already.", "another object")
            taken[name] = control.name
