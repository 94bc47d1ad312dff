"""Who may speak to the studio: one browser of this computer, and no other site that is open in it.

Everything passes here first, the handshake of the websocket too. A request is refused unless its Host is the studio's
own address (a name that a stranger lets point to this computer is not), its Origin and Sec-Fetch-Site, where there are
any, say that it comes from the studio's own pages, and it carries the session's cookie. The cookie is given once, for
the token in the link that the studio prints. Nothing is ever allowed to other origins (CORS).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Methods that change nothing; browsers send no Origin with them to the page's own site.
_READING = ("GET", "HEAD")

_REFUSED = (
    "{reason}\n\nThe studio answers the browser that opened the link which `idiolect studio` printed, and no other. "
    "The link works once.\n`idiolect studio` gives a new one.\n"
)


@dataclass
class Guard:
    """Lets through to `app` what comes from the one browser; `host` is the studio's address, 127.0.0.1:<port>."""

    app: Application
    host: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    token_used: bool = False
    fresh: Callable[[str], bool] = lambda _: False
    """Says whether a token is a fresh one, of whoever owns the home; it is used up by that."""

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    @property
    def link(self) -> str:
        return f"{self.origin}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """The cookie's name; browsers send cookies to every port of an address, so that it holds the port."""
        return f"idiolect-studio-{self.host.rpartition(':')[2]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse a request (ASGI 3)."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif reason := self._strange(scope):
            await _refuse(scope, send, reason)
        elif token := _token(scope):
            await self._exchange(scope, send, token)
        elif not self._knows(scope):
            await _refuse(scope, send, "This browser has no session here.")
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, _Answer(send, self.host))

    def _strange(self, scope: Scope) -> str | None:
        """Say why a request does not come from the studio's own pages, or from a link typed or clicked outside."""
        if _header(scope, b"host") != self.host:
            return "This is not the address that the studio answers at."
        origin = _header(scope, b"origin")
        reading = scope["type"] == "http" and scope["method"] in _READING
        if origin != self.origin and not (origin is None and reading):
            return "Another site asked."
        if _header(scope, b"sec-fetch-site") not in (None, "none", "same-origin") and not self._leads_here(scope):
            return "Another site asked."
        return None

    @staticmethod
    def _leads_here(scope: Scope) -> bool:
        """Whether a browser follows a link from a file, which is another site to it: the token in it decides."""
        asked = (_header(scope, b"sec-fetch-mode"), _header(scope, b"sec-fetch-dest"))
        return asked == ("navigate", "document") and _token(scope) is not None

    def _is_right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())

    def _knows(self, scope: Scope) -> bool:
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(_header(scope, b"cookie") or "")
        except CookieError:
            return False
        given = cookies[self.cookie].value if self.cookie in cookies else ""
        return hmac.compare_digest(given.encode(), self.session.encode())

    async def _exchange(self, scope: Scope, send: Send, token: str) -> None:
        """Give the session's cookie for the token, once, and lead on to an address without it."""
        fresh = scope["method"] == "GET" and self.fresh(token)
        right = scope["method"] == "GET" and self._is_right(token)
        if self._knows(scope):
            await _reply(send, 303, "", [(b"location", b"/")])
        elif not fresh and (not right or self.token_used):
            await _refuse(scope, send, "This link was used already." if right else "This link is not the right one.")
        else:
            self.token_used |= right
            cookie = f"{self.cookie}={self.session}; Path=/; HttpOnly; SameSite=Strict"
            headers = [(b"set-cookie", cookie.encode())]
            if _header(scope, b"sec-fetch-site") in (None, "none", "same-origin"):
                await _reply(send, 303, "", [*headers, (b"location", b"/")])
            else:
                # From another site a browser follows a redirect without the cookie; from a page of ours with it.
                await _reply(send, 200, "", [*headers, (b"refresh", b"0;url=/")])


class _Answer:
    """Adds what a browser must hold to, and a nonce to the scripts of pages: others do not run."""

    def __init__(self, send: Send, host: str) -> None:
        self.send = send
        self.host = host
        self.nonce = secrets.token_urlsafe(16)
        self.start: Message = {}
        self.page: bytearray | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            headers = [(n.lower(), v) for n, v in message["headers"] if not n.lower().startswith(b"access-control-")]
            there = dict(headers)
            message["headers"] = headers + [h for h in self._headers() if h[0] not in there]
            if there.get(b"content-type", b"").startswith(b"text/html"):
                self.page = bytearray()
                return
        elif self.page is not None:
            self.page += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_page(bytes(self.page))
            return
        await self.send(message)

    async def _send_page(self, page: bytes) -> None:
        """Send a page; in what NiceGUI builds only its own scripts are tags, for text is escaped (`&lt;`)."""
        page = page.replace(b"<script", f'<script nonce="{self.nonce}"'.encode())
        others = [(n, v) for n, v in self.start["headers"] if n != b"content-length"]
        self.start["headers"] = [*others, (b"content-length", str(len(page)).encode())]
        await self.send(self.start)
        await self.send({"type": "http.response.body", "body": page})

    def _headers(self) -> list[tuple[bytes, bytes]]:
        # Vue compiles templates in the browser, which takes 'unsafe-eval'; script in the text of a page is not run.
        policy = (
            f"default-src 'none'; script-src 'self' 'nonce-{self.nonce}' 'unsafe-eval'; "
            f"connect-src 'self' ws://{self.host}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            "font-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        return [(b"content-security-policy", policy.encode()), *_ALWAYS]


_ALWAYS = [
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


def _header(scope: Scope, name: bytes) -> str | None:
    """Return a header; one that is there twice is an empty one."""
    found = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
    return found[0] if len(found) == 1 else "" if found else None


def _token(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["path"] != "/":
        return None
    return next(iter(parse_qs(scope["query_string"].decode("latin-1")).get("token", [])), None)


async def _refuse(scope: Scope, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        # Before it is accepted this is the answer 403.
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
    else:
        await _reply(send, 403, _REFUSED.format(reason=reason), [])


async def _reply(send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]]) -> None:
    plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-security-policy", b"default-src 'none'")]
    await send({"type": "http.response.start", "status": status, "headers": [*plain, *_ALWAYS, *headers]})
    await send({"type": "http.response.body", "body": text.encode()})
