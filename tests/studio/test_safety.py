"""Who is refused: another host, another site, no token, a used token; on HTTP and on the websocket's handshake."""

from __future__ import annotations

import asyncio
import http.client
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest

from idiolect.studio.safety import Guard, Message, Receive, Scope, Send
from tests.studio.conftest import Studio, Tab

HOST = "127.0.0.1:8643"
ORIGIN = f"http://{HOST}"
WEBSOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"

Headers = list[tuple[str, str]]


@dataclass
class Asked:
    """What came of a request to a guard before a page that has a script, and a header that lets everybody in."""

    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.messages[0].get("status", 403 if self.messages[0]["type"] == "websocket.close" else 101))

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> str:
        return "".join(m.get("body", b"").decode() for m in self.messages[1:])


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    headers = [(b"Content-Type", b"text/html"), (b"Access-Control-Allow-Origin", b"*"), (b"Content-Length", b"30")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"<script>1</scr", "more_body": True})
    await send({"type": "http.response.body", "body": b"ipt>&lt;script"})


def ask(guard: Guard, path: str, headers: Headers, kind: str = "http", method: str = "GET") -> Asked:
    told = Asked()

    async def send(message: Message) -> None:
        told.messages.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    where, _, query = path.partition("?")
    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope: dict[str, Any] = {"type": kind, "path": where, "query_string": query.encode(), "headers": raw}
    asyncio.run(guard(scope | ({"method": method} if kind == "http" else {}), receive, send))
    return told


@pytest.fixture
def guard() -> Guard:
    return Guard(page, HOST)


def known(guard: Guard, *more: tuple[str, str], host: str = HOST) -> Headers:
    return [("host", host), ("cookie", f"a=b; {guard.cookie}={guard.session}"), *more]


def test_the_token_becomes_a_cookie_once(guard: Guard) -> None:
    link = guard.link.removeprefix(ORIGIN)
    first = ask(guard, link, [("host", HOST)])
    assert (first.status, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert guard.token not in cookie
    assert ask(guard, "/", [("host", HOST), ("cookie", cookie.partition(";")[0])]).status == 200
    again = ask(guard, link, [("host", HOST)])
    assert again.status == 403
    assert "used already" in again.body
    assert "set-cookie" not in again.headers
    # The browser that has the cookie may follow the link again.
    assert ask(guard, link, known(guard)).status == 303


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_only_opening_the_link_uses_it_up(guard: Guard, method: str) -> None:
    link = guard.link.removeprefix(ORIGIN)
    origin = [("origin", ORIGIN)] if method == "POST" else []
    assert ask(guard, link, [("host", HOST), *origin], method=method).status == 403
    assert ask(guard, link, [("host", HOST)]).status == 303


def test_a_wrong_token_does_not_use_it_up(guard: Guard) -> None:
    assert "not the right one" in ask(guard, "/?token=guessed", [("host", HOST)]).body
    assert ask(guard, guard.link.removeprefix(ORIGIN), [("host", HOST)]).status == 303


@pytest.mark.parametrize("path", ["/", "/runs", "/report/ada/x", "/_nicegui/3.18.0/static/nicegui.js"])
def test_without_the_cookie_nothing_is_served(guard: Guard, path: str) -> None:
    for cookie in ("", "x", f"{guard.cookie}=", f"{guard.cookie}={guard.session}x", f"other={guard.session}", "a=\x01"):
        assert ask(guard, path, [("host", HOST), ("cookie", cookie)]).status == 403
    assert ask(guard, path, known(guard)).status == 200


@pytest.mark.parametrize("host", ["evil.example:8643", "127.0.0.1:9000", "127.0.0.1", "localhost:8643", "", f"{HOST}."])
def test_another_host_is_refused(guard: Guard, host: str) -> None:
    origin = ("origin", f"http://{host}")
    assert ask(guard, "/", known(guard, host=host)).status == 403
    assert ask(guard, "/", known(guard, origin, host=host), "websocket").status == 403
    assert ask(guard, "/", [*known(guard), ("host", host)]).status == 403


STRANGERS = ("http://evil.example", "null", "http://127.0.0.1:9000", f"https://{HOST}", f"{ORIGIN}.x", "")
SITES = [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]


@pytest.mark.parametrize("origin", STRANGERS)
def test_another_site_is_refused(guard: Guard, origin: str) -> None:
    headers = known(guard, ("origin", origin))
    assert ask(guard, "/", headers).status == 403
    assert ask(guard, "/", headers, method="POST").status == 403
    assert ask(guard, WEBSOCKET, headers, "websocket").status == 403


def test_what_changes_something_says_where_it_comes_from(guard: Guard) -> None:
    assert ask(guard, "/", known(guard), method="POST").status == 403
    assert ask(guard, "/", known(guard, ("origin", ORIGIN)), method="POST").status == 200
    assert ask(guard, WEBSOCKET, known(guard), "websocket").status == 403
    assert ask(guard, WEBSOCKET, known(guard, ("origin", ORIGIN)), "websocket").status == 101


@pytest.mark.parametrize(("site", "status"), SITES)
def test_another_sites_link_picture_or_frame_is_refused(guard: Guard, site: str, status: int) -> None:
    assert ask(guard, "/", known(guard, ("sec-fetch-site", site))).status == status


def test_answers_let_nobody_in_and_no_other_script_run(guard: Guard) -> None:
    answer = ask(guard, "/", known(guard))
    assert "access-control-allow-origin" not in answer.headers
    policy = answer.headers["content-security-policy"]
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert answer.body == f'<script nonce="{nonce}">1</script>&lt;script'
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert "frame-ancestors 'none'" in policy
    assert nonce not in ask(guard, "/", known(guard)).headers["content-security-policy"]
    assert {"nosniff", "no-store", "same-origin"} <= set(answer.headers.values())


# The same at the studio itself.


def status(studio: Studio, path: str, headers: dict[str, str], method: str = "GET") -> int:
    connection = http.client.HTTPConnection(studio.origin.removeprefix("http://"), timeout=60)
    connection.request(method, path, headers=headers)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def handshake(studio: Studio, headers: dict[str, str]) -> int:
    """Ask to speak over the websocket as a browser does; return the status of the answer."""
    host = studio.origin.removeprefix("http://")
    asked = {
        "Host": host,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        **headers,
    }
    lines = [f"GET {WEBSOCKET} HTTP/1.1", *(f"{name}: {value}" for name, value in asked.items()), "", ""]
    with socket.create_connection((host.split(":")[0], int(host.split(":")[1])), timeout=60) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return int(connection.recv(64).split()[1])


@pytest.mark.slow
def test_the_studio_refuses_all_but_its_own_browser(tab: Tab, studio: Studio) -> None:
    tab.open("/")
    cookie = {"Cookie": "; ".join(f"{c.get('name')}={c.get('value')}" for c in tab.page.context.cookies())}
    ours, theirs = {"Origin": studio.origin}, {"Origin": "http://evil.example"}
    assert status(studio, "/", cookie) == 200
    assert status(studio, "/", {}) == 403
    assert status(studio, studio.link.removeprefix(studio.origin), {}) == 403
    assert status(studio, "/", cookie | {"Host": "evil.example"}) == 403
    assert status(studio, "/", cookie | theirs) == 403
    assert status(studio, "/_nicegui/client/x/upload/1", cookie | theirs, "POST") == 403
    assert handshake(studio, cookie | ours) == 101
    assert handshake(studio, cookie | theirs) == 403
    assert handshake(studio, cookie) == 403
    assert handshake(studio, ours) == 403
    assert handshake(studio, cookie | ours | {"Host": "evil.example"}) == 403


@pytest.mark.slow
def test_the_studio_answers_at_the_loopback_address_alone(studio: Studio) -> None:
    port = int(studio.origin.rpartition(":")[2])
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=10)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/report/nobody/x", "/report/..%2f..%2fetc/passwd", "/report/%2e%2e/%2e%2e"])
def test_no_report_is_served_by_path(tab: Tab, studio: Studio, path: str) -> None:
    cookie = "; ".join(f"{c.get('name')}={c.get('value')}" for c in tab.page.context.cookies())
    assert status(studio, path, {"Cookie": cookie}) == 404
