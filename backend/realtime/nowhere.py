"""An address with no socket: refused quietly (Channels would raise, and fill the log, for anyone who asks)."""

from __future__ import annotations

from typing import Any


class Nowhere:
    @classmethod
    def as_asgi(cls) -> Any:
        async def refuse(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "websocket.close", "code": 4404})

        return refuse
