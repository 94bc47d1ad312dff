"""The place where files or a folder are dropped, and the address to which the browser sends them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from nicegui import ui
from starlette.requests import ClientDisconnect

from idiolect.errors import ExportFault
from idiolect.studio.uploads import Upload

#: Uploads that are open, each by a word that its page alone was told.
_OPEN: dict[str, Upload] = {}


class Drop(ui.element, component="drop.js"):
    """Takes what is dropped or chosen; `came` gets each upload once all of it is here."""

    def __init__(self, came: Callable[[Upload], Awaitable[None]]) -> None:
        super().__init__()
        self._came = came
        self._open()
        self.on("came", self._take, args=[])
        self.on("failed", self._again, args=[])
        self.client.on_delete(self._forget)

    def _open(self) -> None:
        self._word = secrets.token_urlsafe(16)
        _OPEN[self._word] = Upload()
        self.props["to"] = f"/drop/{self._word}"

    async def _take(self) -> None:
        upload = _OPEN.pop(self._word)
        self.client.on_delete(upload.leave)
        self._open()
        await self._came(upload)

    def _again(self) -> None:
        self._forget()
        self._open()

    def _forget(self) -> None:
        """Remove what has come in so far: its page is gone, or the rest does not come."""
        _OPEN.pop(self._word).leave()


def add_drops(app: FastAPI) -> None:
    """Take files at /drop/<word>?name=<path within what was dropped>, written as they come."""

    @app.put("/drop/{word}")
    async def put(word: str, name: str, request: Request) -> Response:
        upload = _OPEN.get(word)
        if upload is None:
            return PlainTextResponse("This page is not open any more; open it again.", 404)
        try:
            with upload.place(name).open("xb") as file:
                async for piece in request.stream():
                    await asyncio.to_thread(file.write, piece)
        except ExportFault as fault:
            return PlainTextResponse(f"{fault.problem} {fault.remedy}", 400)
        except (OSError, ClientDisconnect) as error:
            return PlainTextResponse(f"{name}: {getattr(error, 'strerror', '') or 'cut off'}", 500)
        return Response(status_code=204)
