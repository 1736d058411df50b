"""Triggers that happened, for the album: a schedule, a webhook whose events were started, ignored and limited, a data set's versions, and
one that is switched off. And how a webhook's event is signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import httpx

from workers.sdk.client import Client

Json = dict[str, Any]


def furnish_triggers(client: Client, pipeline: str) -> str:
    """Made once; returns the webhook, which has the longest history."""
    there = {one["name"]: str(one["slug"]) for one in client.list_triggers()}
    if "New orders" in there:
        return there["New orders"]
    berlin = {"schedule": "0 3 * * 1-5", "time_zone": "Europe/Berlin"}
    client.create_trigger({"name": "Train again every night", "kind": "cron", "pipeline": pipeline, "config": berlin, "priority": "low"})
    client.create_trigger({"name": "Whatever is frozen", "kind": "dataset_version", "pipeline": pipeline, "coalesce_s": 300})
    off = client.create_trigger(
        {"name": "Every Monday, as it was", "kind": "cron", "pipeline": pipeline, "config": {"schedule": "0 6 * * 1"}}
    )
    client.switch_trigger(off["slug"], False)
    hook = client.create_trigger(
        {"name": "New orders", "kind": "webhook", "pipeline": pipeline, "config": {"types": ["orders.closed"]}, "most_per_hour": 2}
    )
    for number, kind in enumerate(("orders.closed", "orders.opened", "orders.closed", "orders.closed")):
        event = {"specversion": "1.0", "id": f"n-{number}", "source": "/shop/harbour", "type": kind, "data": {"orders": 40 + number}}
        post(hook["url"], hook["secret"], json.dumps(event).encode(), "application/cloudevents+json")
    client.fire_trigger(str(hook["slug"]), {"orders": 1})
    return str(hook["slug"])


def post(address: str, secret: str, body: bytes, media_type: str = "application/json") -> None:
    """As another program does it: signed with the webhook's secret; raises if it is not taken."""
    moment = str(int(time.time()))
    signature = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"X-Headrace-Signature": f"t={moment},v1={signature}", "Content-Type": media_type}
    answer = httpx.post(address, content=body, headers=headers, trust_env=False)
    assert answer.status_code == 202, answer.text
