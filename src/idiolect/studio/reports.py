"""Reports of runs, served by whose and which run they are, never by path, and without any rights."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from idiolect.errors import IdiolectError
from idiolect.home import Home
from idiolect.workflow.archive.runs import find, known

#: Whatever stood in a report: no script, no form, nothing fetched; shown in a frame of the studio's pages alone.
_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


def add_reports(app: FastAPI, home: Home) -> None:
    """Serve /report/<person>/<label>."""

    @app.get("/report/{person}/{label}")
    def report(person: str, label: str) -> Response:
        try:
            run = find(home, label, known(home, person).person)[1]
            page = run.report.read_text(encoding="utf-8")
        except (IdiolectError, OSError):
            return PlainTextResponse("There is no such report.", 404)
        return HTMLResponse(page, headers={"content-security-policy": _POLICY})
