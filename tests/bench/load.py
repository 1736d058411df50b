"""A small HTTP load: N clients, each with one kept connection, sending the same request again and again for a while.

Runs in a process of its own (`python -m tests.bench.load`), so that the client's work is not the server's. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit


async def client(host: str, port: int, request: bytes, until: float, times: list[float], wrong: list[int]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    while (began := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            wrong.append(int(head.split(b" ")[1]))
        times.append(time.perf_counter() - began)
    writer.close()


async def load(url: str, body: bytes, headers: dict[str, str], clients: int, seconds: float) -> dict[str, float]:
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n"
    request = (head + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n").encode() + body
    times: list[float] = []
    wrong: list[int] = []
    began = time.perf_counter()
    await asyncio.gather(*(client(parts.hostname or "", parts.port or 80, request, began + seconds, times, wrong) for _ in range(clients)))
    took = time.perf_counter() - began
    times.sort()
    return {
        "rate": len(times) / took,
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[int(len(times) * 0.99)] * 1000,
        "wrong": len(wrong),
    }


def main() -> None:
    job = json.load(sys.stdin)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answer = runner.run(load(job["url"], job["body"].encode("latin-1"), job["headers"], job["clients"], job["seconds"]))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
