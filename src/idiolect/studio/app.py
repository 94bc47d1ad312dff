"""The studio as a server: its pages, its port on this computer, its link."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from nicegui import core, ui

from idiolect.errors import OptionFault
from idiolect.home import Home
from idiolect.studio.compare import compare_page
from idiolect.studio.dataset import dataset_page
from idiolect.studio.drop import add_drops
from idiolect.studio.finding import found_again, takes
from idiolect.studio.frame import Page, framed
from idiolect.studio.home import home_page
from idiolect.studio.import_ import import_page
from idiolect.studio.reports import add_reports
from idiolect.studio.runs import runs_page
from idiolect.studio.safety import Guard
from idiolect.studio.train import train_page
from idiolect.studio.uploads import own_folder, wait_until_whole

#: Path → title and what builds the page.
PAGES: Mapping[str, Page] = {
    "/": Page("Home", home_page),
    "/import": Page("Import", import_page),
    "/dataset": Page("Data set", dataset_page),
    "/train": Page("Train", train_page),
    "/compare": Page("Compare", compare_page),
    "/runs": Page("Runs", runs_page),
}

_ADDRESS = "127.0.0.1"
#: After Ctrl-C, open pages are given so long.
_SECONDS_TO_END = 2
#: The exit code of what Ctrl-C ends, as shells have it.
_CUT_OFF = 130
#: On a computer that trains a page may take its time; one that has lost its connection is kept for so long.
_SECONDS_TO_BUILD, _SECONDS_TO_RECONNECT = 60, 15


def serve(home: Home, port: int, began: Callable[[str], None], say: Callable[[str], None]) -> None:
    """Serve the studio of a home folder to this computer until Ctrl-C; `began` is told the link, once it works.

    It ends once the imports have that go on, which `say` is told; a second Ctrl-C cuts them off.
    Raises OptionFault for a port that cannot be had.
    """
    listening = _bound(port)
    host = "{}:{}".format(*listening.getsockname())
    guard = Guard(_application(home, host), host, fresh=partial(takes, home))
    config = uvicorn.Config(
        guard,
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_SECONDS_TO_END,
    )
    with listening, own_folder(home), found_again(home, host):
        began(guard.link)
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            _let_imports_end(say)


def _let_imports_end(say: Callable[[str], None]) -> None:
    try:
        wait_until_whole(lambda: say("An import is going on; the studio ends after it. Ctrl-C again cuts it off."))
    except KeyboardInterrupt:
        say("The import is cut off: nothing of it has come in.")
        # Its thread cannot be told to stop; what it has written beside its place is what a kill leaves.
        os._exit(_CUT_OFF)


def _bound(port: int) -> socket.socket:
    """Listen from now on: who follows the link at once waits instead of being turned away."""
    try:
        listening = socket.create_server((_ADDRESS, port))
    except OSError as error:
        raise OptionFault(f"Port {port} cannot be had: {error}.", "Choose another with --port.") from error
    return listening


def _application(home: Home, host: str) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_reports(app, home)
    add_drops(app)
    # NiceGUI lets every origin in; the guard refuses them before, and the websocket's own server shall as well.
    core.sio.eio.cors_allowed_origins = [f"http://{host}"]
    ui.add_css(Path(__file__).parent / "look.css", shared=True)
    for path, page in PAGES.items():
        build = framed(home, PAGES, path)
        ui.page(path, title=f"{page.title} · Idiolect", response_timeout=_SECONDS_TO_BUILD)(build)
    ui.run_with(
        app,
        title="Idiolect",
        dark=None,
        favicon=_ICON,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        gzip_middleware_factory=None,
        reconnect_timeout=_SECONDS_TO_RECONNECT,
    )
    return app


_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2f6f73"/>'
    '<path d="M9 9h14v10H15l-5 4v-4H9z" fill="#fff"/></svg>'
)
