"""A package index on loopback, with wheels that are made for it; one of them can be held back while it is fetched."""

from __future__ import annotations

import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any


class PackageIndex:
    """Speaks the simple repository API (PyPA specification, HTML)."""

    def __init__(self) -> None:
        self.wheels: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.held_back = ""
        """The package whose wheel is given only when `goes_on` is set; `waits` is set when it is asked for."""
        self.waits, self.goes_on = threading.Event(), threading.Event()
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def environ(self) -> dict[str, str]:
        """What lets pip take from here alone."""
        url = f"http://127.0.0.1:{self.server.server_address[1]}/simple"
        return {"PIP_INDEX_URL": url, "PIP_CONFIG_FILE": "/dev/null", "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0"}

    def add(self, package: str, version: str) -> None:
        self.wheels[f"{package}-{version}-py3-none-any.whl"] = _wheel(package, version)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        _, kind, *rest = request.path.split("/")
        if kind == "simple":
            mine = [name for name in self.wheels if name.startswith(f"{rest[0]}-")]
            _reply(request, "".join(f'<a href="/files/{name}">{name}</a>\n' for name in mine).encode(), "text/html")
            return
        if rest[0].partition("-")[0] == self.held_back:
            self.waits.set()
            self.goes_on.wait(60)
        self.fetched.append(rest[0])
        _reply(request, self.wheels[rest[0]], "application/zip")

    def stop(self) -> None:
        self.goes_on.set()
        self.server.shutdown()
        self.server.server_close()


def _reply(request: BaseHTTPRequestHandler, content: bytes, kind: str) -> None:
    try:
        request.send_response(200 if content else 404)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
    except ConnectionError:  # who asked for it is no more
        request.close_connection = True


def _wheel(package: str, version: str) -> bytes:
    info = f"{package}-{version}.dist-info"
    files = {
        f"{package}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, content)
    return made.getvalue()
