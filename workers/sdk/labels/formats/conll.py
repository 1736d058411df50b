"""CoNLL: a word a line with its tag (B- begins, I- goes on, O none), a blank line after each text. `-DOCSTART-` lines name our item; a text
from elsewhere is known by its words. Words are cut where a span begins or ends too, so that spans come back as they were."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from workers.sdk.labels.config import LabelConfig, LabelControl
from workers.sdk.labels.results import Misfit
from workers.sdk.labels.travel import BadFile, CannotWrite, Format, Found, Item, Json, Member, Ref, Source, Target, Writing, only_file

TITLE = "CoNLL"
START = "-DOCSTART-"
OVERLAP = "CoNLL has one tag a word: of spans that overlap the longer one is kept."
BLANK = "CoNLL tags words: white space at the ends of a span is left out."
SEVERAL = "CoNLL has one label a span: the first is kept."
WORD = re.compile(r"\w+|[^\w\s]")
LINE = 64 * 1024
MOST_WORDS = 1_000_000
"""Of one text."""


def write(items: Iterable[Item], writing: Writing) -> Iterator[Member]:
    control = _control(writing.config)
    if control is None:
        raise CannotWrite("CoNLL holds spans of text; the schema has no <Labels>.")
    tags = _tags(control)

    def pieces() -> Iterator[bytes]:
        for item in items:
            said = writing.one(item, TITLE)
            spans = _spans(said.result, control, writing)
            text = item.shown().get(control.to, "")
            head = f"{START} -X- O {_quoted(item.key)} {item.digest}\n\n"
            yield (head + "".join(f"{word} -X- _ {tag}\n" for word, tag in tagged(text, spans, tags, writing)) + "\n").encode()

    yield "labels.conll", pieces()


def _control(config: LabelConfig) -> LabelControl | None:
    return next((c for c in config.controls if c.type == "labels"), None)


def _tags(control: LabelControl) -> dict[str, str]:
    """A label as a tag: without white space, and each another."""
    found: dict[str, str] = {}
    for label in control.labels:
        tag = base = re.sub(r"\s+", "_", label.value)
        n = 2
        while tag in found.values():
            tag, n = f"{base}_{n}", n + 1
        found[label.value] = tag
    return found


def _quoted(key: str) -> str:
    return re.sub(r"[\s%]", lambda m: "".join(f"%{b:02X}" for b in m[0].encode()), key)


def _unquoted(word: str) -> str:
    return re.sub(r"(?:%[0-9A-F]{2})+", lambda m: bytes.fromhex(m[0].replace("%", "")).decode("utf-8", "replace"), word)


def _spans(result: list[Json], control: LabelControl, writing: Writing) -> list[tuple[int, int, str]]:
    found = []
    for one in result:
        if one.get("from_name") != control.name:
            name = "relations" if one["type"] == "relation" else f"“{one['from_name']}”"
            writing.lost[f"{TITLE} has no place for {name}."] += 1
            continue
        labels = one["value"]["labels"]
        if len(labels) > 1:
            writing.lost[SEVERAL] += 1
        found.append((one["value"]["start"], one["value"]["end"], labels[0]))
    return found


def tagged(text: str, spans: list[tuple[int, int, str]], tags: dict[str, str], writing: Writing) -> Iterator[tuple[str, str]]:
    """(Word, its tag). Spans count UTF-16 units."""
    places = _places(text)
    kept: list[tuple[int, int, str]] = []
    for start, end, label in sorted(spans, key=lambda s: (s[0] - s[1], s[0])):
        a, b = places(start), places(end)
        inner = text[a:b]
        a, b = a + len(inner) - len(inner.lstrip()), b - (len(inner) - len(inner.rstrip()))
        if inner != inner.strip():
            writing.lost[BLANK] += 1
        if a >= b:
            continue
        if any(a < d and c < b for c, d, _ in kept):
            writing.lost[OVERLAP] += 1
            continue
        kept.append((a, b, label))
    kept.sort()
    at = 0
    for a, b, label in [*kept, (len(text), len(text), "")]:
        yield from ((word, "O") for word in _words(text[at:a]))
        for n, word in enumerate(_words(text[a:b])):
            yield word, ("I-" if n else "B-") + tags[label]
        at = b


def _words(text: str) -> Iterator[str]:
    for found in WORD.finditer(text):
        yield found[0]


def _places(text: str) -> Callable[[int], int]:
    """From a place in UTF-16 units to one in characters."""
    if text.isascii() or not any(ord(ch) > 0xFFFF for ch in text):
        return lambda unit: min(unit, len(text))
    units = [0]
    for ch in text:
        units.append(units[-1] + (2 if ord(ch) > 0xFFFF else 1))
    return lambda unit: min(bisect_left(units, unit), len(text))


def read(source: Source, config: LabelConfig) -> Iterator[Found]:
    name = only_file(source, ".conll", ".txt", ".bio", ".iob")
    control = _control(config)
    if control is None:
        raise BadFile(name, "CoNLL holds spans of text; the schema has no <Labels>.", "a schema with <Labels …>")
    labels = {tag: label for label, tag in _tags(control).items()}
    ref, begun = Ref(), 1
    words: list[tuple[str, str, str]] = []
    with source.open(name) as file:
        number = 0
        while raw := file.readline(LINE):
            number += 1
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError:
                raise BadFile(f"{name}, line {number}", "This is not UTF-8.", "a text file in UTF-8") from None
            marks = line.startswith(START)
            # A marked text goes on to the next mark, blank lines or not; others end at a blank line.
            if (marks and (words or ref.path)) or (not line and words and not ref.path):
                yield _found(name, begun, ref, words, control)
                ref, words = Ref(), []
            if marks:
                parts = line.split()
                ref, begun = Ref(path=_unquoted(parts[3]), digest=parts[4]) if len(parts) == 5 else Ref(), number
            elif line:
                if not words and not ref.path:
                    begun = number
                words.append(_word(line, labels, f"{name}, line {number}", control))
                if len(words) > MOST_WORDS:
                    raise BadFile(f"{name}, line {number}", f"A text has more than {MOST_WORDS:,} words.", "a blank line after each text")
    if words or ref.path:
        yield _found(name, begun, ref, words, control)


def _word(line: str, labels: dict[str, str], where: str, control: LabelControl) -> tuple[str, str, str]:
    """(Word, how its tag begins, label)."""
    parts = line.split()
    if len(parts) < 2:
        raise BadFile(where, "The line has one column.", "a word and its tag, with a space between")
    if parts[-1] == "O":
        return parts[0], "O", ""
    how, dash, tag = parts[-1].partition("-")
    if not dash or how not in "BIESLU":
        raise BadFile(f"{where}, tag", f"“{parts[-1][:40]}” is no tag.", "O, B-label or I-label")
    if tag not in labels:
        raise BadFile(f"{where}, tag", f"“{tag[:80]}” is no label of “{control.name}”.", "one of " + ", ".join(list(labels)[:20]))
    return parts[0], "B" if how in "BSU" else "I", labels[tag]


def _found(name: str, line: int, ref: Ref, words: list[tuple[str, str, str]], control: LabelControl) -> Found:
    squeezed = "".join(word for word, _, _ in words)
    meant = Ref(path=ref.path, digest=ref.digest) if ref.path else Ref(text=squeezed)
    return Found(where=f"{name}, line {line}", ref=meant, result=_Result(words, control))


class _Result:
    def __init__(self, words: list[tuple[str, str, str]], control: LabelControl) -> None:
        self._words, self._control = words, control

    def __call__(self, target: Target) -> list[Json]:
        text = target.shown().get(self._control.to, "")
        found: list[Json] = []
        at, before = 0, ""
        for word, how, label in self._words:
            start = text.find(word, at)
            if start < 0 or text[at:start].strip():
                raise Misfit("words", f"“{word[:40]}” does not follow in the item's text.", f"the words of “{text[at : at + 40].strip()}…”")
            at = start + len(word)
            if how == "O":
                before = ""
                continue
            end = _units(text[:at])
            if how == "I" and label == before:
                found[-1]["value"]["end"] = end
            else:
                value = {"start": _units(text[:start]), "end": end, "labels": [label]}
                head = {"from_name": self._control.name, "to_name": self._control.to, "type": "labels"}
                found.append({"id": f"conll-{len(found)}", **head, "value": value})
            before = label
        return found


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


FORMAT = Format(
    name="conll", title=TITLE, about="Spans of text, a word a line.", suffix=".conll", media_type="text/plain", folder=False,
    objects=frozenset({"Text"}), reads=(".conll", ".txt", ".zip"), write=write, read=read,
)  # fmt: skip
