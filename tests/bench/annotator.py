"""One annotator of a crowd, over a connection of their own: what they do with an item, and a note of all that the studio told them.

They take, draw, save, submit, skip, let go, remark, change what they said before, have the next item ready, leave the page and come back,
and sit so long that their lease is over. A question that gets no answer (the web process was killed) is asked again, as the page does.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE_S = 60.0
"""So long a question is asked again before somebody gives up."""
Json = dict[str, Any]


@dataclass
class Said:
    """What the studio confirmed of an annotation: its newest version and content."""

    person: int
    item: int
    version: int
    region: str
    choice: str


@dataclass
class Told:
    """All that a crowd was told. `holders`: who has each item now or has submitted it, as far as the crowd can know."""

    places: int
    said: dict[str, Said] = field(default_factory=dict)
    drafts: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)
    """(person, item): the highest number that was kept, and the region in it; None once it was handed in."""
    skipped: set[tuple[int, int]] = field(default_factory=set)
    comments: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    unanswered: int = 0
    """Remarks that were sent and not answered: there once or not at all."""
    holders: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    crowded: list[str] = field(default_factory=list)
    """Sentences about items that more people had at once than may."""
    strange: list[str] = field(default_factory=list)
    """Sentences about answers that nobody should get."""
    acts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def has(self, item: int, person: int) -> None:
        self.holders[item].add(person)
        if len(self.holders[item]) > self.places:
            self.crowded.append(f"item {item} was with {len(self.holders[item])} people at once: {sorted(self.holders[item])}")

    def lets_go(self, item: int, person: int) -> None:
        self.holders[item].discard(person)


class Annotator:
    """`lapse(person, item)` ends a lease as time would; `pause` is how long they look at an item, in seconds."""

    def __init__(
        self, number: int, base: str, secret: str, told: Told, *, pause: float, lapse: Callable[[int, int], Any], until: float
    ) -> None:
        self.number, self.told, self.pause, self.lapse, self.until = number, told, pause, lapse, until
        self.chance = random.Random(number)
        self.mine: list[str] = []
        self.line = httpx.AsyncClient(
            base_url=base, headers={"Authorization": f"Bearer {secret}"}, timeout=30, limits=httpx.Limits(max_connections=1)
        )

    async def work(self) -> None:
        async with self.line:
            ready: Json | None = None
            while time.monotonic() < self.until:
                item = ready or await self.next([])
                ready = None
                if item is None:  # what there is, others have in hand: some of it comes back
                    await asyncio.sleep(max(0.2, self.pause))
                    continue
                if self.chance.random() < 0.3:
                    ready = await self.next([item["id"]])
                await self.at(item["id"])
            if ready is not None:
                await self.let_go(ready["id"])

    async def at(self, item: int) -> None:
        """What becomes of one item."""
        act = self.chance.random()
        for _ in range(self.chance.choice((0, 1, 1, 1, 2))):
            await self.look()
            await self.draft(item)
        await self.look()
        if act < 0.05:
            await self.skip(item)
        elif act < 0.08:
            await self.let_go(item)
        elif act < 0.12:
            await self.sit_too_long(item)
        elif act < 0.17:
            await self.come_back(item)
        else:
            if act < 0.21:
                await self.remark(item)
            await self.submit(item)
        if self.mine and self.chance.random() < 0.08:
            await self.change()

    async def look(self) -> None:
        await asyncio.sleep(self.chance.expovariate(1 / self.pause) if self.pause else 0)

    async def next(self, holding: list[int]) -> Json | None:
        status, answer = await self.ask("next", "POST", "/next", {"holding": holding})
        item: Json | None = answer.get("item") if status == 200 else None
        if item is not None:
            self.told.has(item["id"], self.number)
            if item["id"] in holding:
                self.told.strange.append(f"person {self.number} was given item {item['id']} while their page said that it holds it")
        return item

    async def draft(self, item: int) -> None:
        region = uuid.uuid4().hex
        number = self.told.drafts.get((self.number, item), (0, ""))[0] + 1
        status, answer = await self.ask("draft", "PUT", f"/items/{item}/draft", {"result": [entry(region, "good")], "number": number})
        if status == 200:
            # A refused submission left a draft too, with a number that the page is told here.
            self.told.drafts[self.number, item] = (answer["number"], region if answer["number"] == number else "")

    async def submit(self, item: int, *, holds: bool = True) -> None:
        id_, region, choice = str(uuid.uuid4()), uuid.uuid4().hex, self.chance.choice(("good", "bad"))
        body = {"id": id_, "schema_version": 1, "result": [entry(region, choice)], "seconds": 1.0}
        status, answer = await self.ask("submit", "POST", f"/items/{item}/submit", body)
        if status == 200:
            self.told.has(item, self.number)
            self.told.said[answer["id"]] = Said(self.number, item, answer["version"], region, choice)
            self.told.drafts.pop((self.number, item), None)
            self.told.skipped.discard((self.number, item))
            self.mine.append(answer["id"])
            if answer["id"] != id_ or answer["outcome"] not in ("submitted", "repeated"):
                self.told.strange.append(f"person {self.number} submitted item {item} and was told {answer}")
        else:
            if holds:
                self.told.strange.append(f"person {self.number} held item {item} and could not submit it: {status} {answer}")
            self.told.drafts.pop((self.number, item), None)
            self.told.lets_go(item, self.number)

    async def change(self) -> None:
        """Something said before is said otherwise; the second time over the same version is refused."""
        id_ = self.chance.choice(self.mine)
        said = self.told.said[id_]
        stale, region = self.chance.random() < 0.2, uuid.uuid4().hex
        choice = "bad" if said.choice == "good" else "good"
        version = said.version - 1 if stale and said.version > 1 else said.version
        body = {"id": id_, "schema_version": 1, "result": [entry(region, choice)], "seconds": 0.5, "version": version}
        status, answer = await self.ask("change", "POST", f"/items/{said.item}/submit", body)
        if status != 200:
            return
        if version < said.version:
            self.told.strange.append(f"person {self.number} changed version {version} of {id_}, which was at {said.version}")
        self.told.said[id_] = Said(self.number, said.item, answer["version"], region, choice)

    async def skip(self, item: int) -> None:
        self.told.lets_go(item, self.number)
        status, _ = await self.ask("skip", "POST", f"/items/{item}/skip", {"reason": "too dark"})
        if status == 204:
            self.told.skipped.add((self.number, item))

    async def let_go(self, item: int) -> None:
        self.told.lets_go(item, self.number)
        await self.ask("release", "POST", f"/items/{item}/release", None)

    async def remark(self, item: int) -> None:
        text = f"Is this one right? {uuid.uuid4().hex}"
        status, answer = await self.ask("comment", "POST", f"/items/{item}/comments", {"text": text}, again=False)
        if status == 201:
            self.told.comments[answer["id"]] = (self.number, item, text)
        elif status == 0:
            self.told.unanswered += 1

    async def come_back(self, item: int) -> None:
        """Close the lid; what they hold is theirs when they open it again. (What they had ready comes first, if it was given first.)"""
        await self.look()
        await self.look()
        found = await self.next([])
        if found is None:
            self.told.strange.append(f"person {self.number} left item {item} open and was given nothing when they came back")
            self.told.lets_go(item, self.number)
            return
        await self.submit(found["id"])
        if found["id"] != item:
            await self.let_go(item)

    async def sit_too_long(self, item: int) -> None:
        """Their lease runs out; somebody else may be given the place. Then they submit all the same."""
        self.told.lets_go(item, self.number)
        self.told.acts["lapsed"] += 1
        await self.lapse(self.number, item)
        await self.look()
        await self.submit(item, holds=False)

    async def ask(self, kind: str, method: str, path: str, body: Any, *, again: bool = True) -> tuple[int, Json]:
        """(Status, answer); status 0 where there was no answer, and it must not be asked twice."""
        begun = time.perf_counter()
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = await self.line.request(method, path, json=body)
                break
            except httpx.TransportError as error:
                self.told.errors[f"{kind}: {type(error).__name__}"] += 1
                if not again:
                    return 0, {}
                if time.monotonic() > until:
                    self.told.strange.append(f"person {self.number} asked for {PATIENCE_S:.0f} s ({kind}) and got no answer: {error!r}")
                    return 0, {}
                await asyncio.sleep(0.2)
        self.told.seconds[kind].append(time.perf_counter() - begun)
        self.told.acts[kind] += 1
        told = answer.json() if answer.content else {}
        if answer.status_code >= 400:
            code = told.get("error", {}).get("code", "")
            self.told.errors[f"{kind}: {answer.status_code} {code}"] += 1
            if answer.status_code not in (409,):
                self.told.strange.append(f"{kind} was answered {answer.status_code}: {told}")
        return answer.status_code, told


def entry(region: str, choice: str) -> Json:
    return {"id": region, "from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": [choice]}}
