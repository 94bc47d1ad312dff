"""The place where files or a folder are dropped, and the address to which the browser sends them."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from nicegui import ui
from nicegui.events import GenericEventArguments
from starlette.requests import ClientDisconnect

from idiolect.errors import ExportFault
from idiolect.studio.uploads import Upload

#: What is being sent to each page that is open, by a word that this page alone was told.
_OPEN: dict[str, defaultdict[int, Upload]] = {}


class Drop(ui.element, component="drop.js"):
    """Takes what is dropped or chosen; `came` gets each upload once all of it is here."""

    def __init__(self, came: Callable[[Upload], Awaitable[None]]) -> None:
        super().__init__()
        self._came = came
        self._word = secrets.token_urlsafe(16)
        self._coming: defaultdict[int, Upload] = defaultdict(Upload)
        _OPEN[self._word] = self._coming
        self.props["to"] = f"/drop/{self._word}"
        self.on("came", self._take)
        self.on("failed", self._forget)
        self.client.on_delete(self._leave)

    async def _take(self, event: GenericEventArguments) -> None:
        if upload := self._coming.pop(event.args, None):
            self.client.on_delete(upload.leave)
            await self._came(upload)

    def _forget(self, event: GenericEventArguments) -> None:
        if upload := self._coming.pop(event.args, None):
            upload.leave()

    def _leave(self) -> None:
        for upload in _OPEN.pop(self._word).values():
            upload.leave()


def add_drops(app: FastAPI) -> None:
    """Take files at /drop/<word>/<which drop>?name=<path within what was dropped>, written as they come."""

    @app.put("/drop/{word}/{number}")
    async def put(word: str, number: int, name: str, request: Request) -> Response:
        if word not in _OPEN:
            return PlainTextResponse("This page is not open any more; open it again.", 404)
        upload = _OPEN[word][number]
        try:
            with upload.place(name).open("xb") as file:
                async for piece in request.stream():
                    await asyncio.to_thread(file.write, piece)
        except ExportFault as fault:
            return PlainTextResponse(f"{fault.problem} {fault.remedy}", 400)
        except (OSError, ClientDisconnect) as error:
            return PlainTextResponse(f"{name}: {getattr(error, 'strerror', '') or 'cut off'}", 500)
        return Response(status_code=204)
