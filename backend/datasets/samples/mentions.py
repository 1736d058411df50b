"""Who, when and where in real mails: messages of the same corpus as `mails`, with the spans that rules are sure of.

Nobody has read them: people are the names that the corpus's own headers give to addresses, wherever they are written in full; addresses,
dates, links and versions are what a pattern recognises. So what no rule sees (a first name alone, a company) is no span, and a tagger that
learns from them learns to do without the rules' list of names.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
import tarfile
from email.message import Message
from email.utils import getaddresses
from pathlib import Path

from backend.datasets.samples import mails
from backend.datasets.samples.fetch import Sample

MESSAGES = 900
SHORTEST, LONGEST = 120, 1_200
"""Characters of a text: a screen, so that whoever labels reads it at a glance."""
NAME = re.compile(r"[A-Z][\w'’-]+(?: [A-Z]\.?)?(?: [A-Z][\w'’-]+)+")
NO_NAME = re.compile(
    r"\b(?:List|Mail|Users?|Daemon|Support|Team|News|Admin\w*|Service|Newsletter|Group|Project|Linux|Com|Net|Org)\b", re.IGNORECASE
)
_MONTH = "(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*"
_DAY = r"(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,? +)?"
_TIME = r"(?:,? (?:at )?\d{1,2}:\d\d(?::\d\d)?(?: ?[AP]M)?(?: [+-]\d{4})?)?"
RULES = {
    "date": re.compile(
        rf"\b{_DAY}(?:\d{{1,2}}(?:st|nd|rd|th)? {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}){_TIME}\b"
        rf"|\b\d{{4}}-\d\d-\d\d{_TIME}\b|\b\d{{1,2}}/\d{{1,2}}/\d{{2,4}}\b"
    ),
    "link": re.compile(r"\b(?:https?|ftp)://[^\s<>\"')\]]*[\w/]|\bwww\.[\w-]+(?:\.[\w-]+)+(?:/[^\s<>\"')\]]*[\w/])?"),
    "address": mails.ADDRESS,
    "version": re.compile(r"(?<![\w.])v?\d+(?:\.\d+){2,}(?:-?(?:rc|pre|beta|alpha|b|a|p)?\d+)?(?![\w.]*[\w@])"),
}
LABELS = ("person", *RULES)


def build(archive: Path, target: Path) -> None:
    """JSON lines: `text`, and `entities` as `[{start, end, label, text}]` in characters, of which all are in the plane that UTF-16 counts
    alike."""
    found = [(name, mail) for name, mail in _mails(archive)]
    people = _people(mail for _, mail in found)
    known = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(people, key=len, reverse=True))) + r")(?!\w)")
    texts = {text: None for _, mail in found if (text := _text(mail)) and not any(ch > "\uffff" for ch in text)}
    kept = list(texts)[:: max(1, len(texts) // MESSAGES)][:MESSAGES]
    with target.open("w", encoding="utf-8") as stream:
        for text in kept:
            stream.write(json.dumps({"text": text, "entities": entities(text, known)}, ensure_ascii=False) + "\n")


def entities(text: str, known: re.Pattern[str]) -> list[dict[str, object]]:
    """Of two that overlap the rule that stands first wins: links and addresses before the names inside them."""
    made: list[tuple[int, int, str]] = []
    for label, rule in (("link", RULES["link"]), ("address", RULES["address"]), ("person", known), *RULES.items()):
        for match in rule.finditer(text):
            if not any(match.start() < end and start < match.end() for start, end, _ in made):
                made.append((*match.span(), label))
    return [{"start": start, "end": end, "label": label, "text": text[start:end]} for start, end, label in sorted(made)]


def _mails(archive: Path) -> list[tuple[str, Message]]:
    found = []
    with tarfile.open(archive) as package:
        for member in package:
            file = package.extractfile(member) if mails.MEMBER.fullmatch(member.name) else None
            if file is not None:
                found.append((member.name, email.message_from_bytes(file.read(), policy=email.policy.compat32)))
    return sorted(found, key=lambda one: one[0])


def _header(mail: Message, name: str) -> str:
    return " ".join(str(email.header.make_header(email.header.decode_header(str(mail.get(name, ""))))).split())


def _people(found: object) -> set[str]:
    """Names of two words and more that headers give to an address."""
    names = set()
    for mail in found:  # type: ignore[attr-defined]  # an iterable of messages
        for name, _ in getaddresses([_header(mail, header) for header in ("From", "To", "Cc", "Reply-To")]):
            clean = " ".join(name.strip("'\" ").split())
            if NAME.fullmatch(clean) and not NO_NAME.search(clean):
                names.add(clean)
    return names


def _text(mail: Message) -> str:
    """Its sender, date and subject, and how it begins; empty where there is too little."""
    head = [f"{name}: {value}" for name in ("From", "Date", "Subject") if (value := _header(mail, name))]
    body = re.sub(r"\n{3,}", "\n\n", mails.ENDS.split(mails._text(mail), maxsplit=1)[0]).strip()
    text = "\n".join(head) + "\n\n" + body
    if len(text) > LONGEST:
        text = text[: text.rfind("\n", 0, LONGEST)].rstrip() if "\n" in text[SHORTEST:LONGEST] else text[:LONGEST].rsplit(" ", 1)[0]
    return text if len(body) >= SHORTEST else ""


SAMPLE = Sample(
    slug="mentions",
    name="Mentions in mails",
    description="900 messages of public mailing lists of 2002; the question is where people, addresses, dates, links and versions are "
    "named. The spans are what rules find (names that the mails' own headers give, patterns), not what people marked: what no rule sees "
    "is missing.",
    licence=mails.SAMPLE.licence,
    source=f"{mails.SAMPLE.source}, with spans that rules find",
    client=mails.SAMPLE.client,
    package=mails.SAMPLE.package,
    algorithm=mails.SAMPLE.algorithm,
    digest=mails.SAMPLE.digest,
    filename="mentions.jsonl",
    build=build,
)
