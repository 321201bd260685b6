"""A vendor's stand-in that answers with the key that it was sent, in every way that an answer has."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from urllib.parse import parse_qs, quote, urlsplit

from tests.gateway.vendors import Answer

_TEXT = ("Content-Type", "text/plain")


def _in_header(name, spelling=str):
    return lambda key: Answer(headers=(_TEXT, (name, spelling(key))))


def _in_body(spelling, status=200, kind="text/plain"):
    def made(key):
        body = spelling(key)
        return Answer(status, body if isinstance(body, bytes) else body.encode(), (("Content-Type", kind),))

    return made


def _in_parts(size):
    def made(key):
        text = json.dumps({"sent": key}).encode()
        return Answer(parts=tuple(text[at : at + size] for at in range(0, len(text), size)))

    return made


def _encoded(coding, encode):
    return lambda key: Answer(body=encode(key.encode()), headers=(_TEXT, ("Content-Encoding", coding)))


HOW = {
    "header": _in_header("X-Echo"),
    "cookie": _in_header("Set-Cookie", "session={}; Path=/".format),
    "challenge": _in_header("WWW-Authenticate", 'apiKey realm="{}"'.format),
    "link": _in_header("Link", "<https://api.ionq.co/?key={}>; rel=next".format),
    "etag": _in_header("ETag", '"{}"'.format),
    "header-base64": _in_header("X-Echo", lambda key: base64.b64encode(f"user:{key}".encode()).decode()),
    "content-type": lambda key: Answer(headers=(("Content-Type", f"text/plain; charset={key}"),)),
    "redirect": lambda key: Answer(302, b"", (("Location", f"https://api.ionq.co/v0.4/backends?key={key}"),)),
    "redirect-away": lambda key: Answer(307, b"", (("Location", f"https://files.example.org/?key={key}"),)),
    "reason": lambda key: Answer(401, b"{}", reason=f"no such key {key}"),
    "body": _in_body(str),
    "json": _in_body(lambda key: json.dumps({"error": {"headers": {"authorization": f"apiKey {key}"}}})),
    "error": _in_body(lambda key: json.dumps({"message": f"the key {key} is not known"}), 401),
    "error-page": _in_body("<h1>500</h1><pre>Authorization: apiKey {}</pre>".format, 500, "text/html"),
    "base64": _in_body(lambda key: base64.b64encode(f"u:{key}".encode())),
    "hex": _in_body(lambda key: key.encode().hex()),
    "hex-capitals": _in_body(lambda key: key.encode().hex().upper()),
    "percent": _in_body(lambda key: quote(key, safe="")),
    "backwards": _in_body(lambda key: key[::-1]),
    "twice": _in_body(lambda key: key + key),
    "far": _in_body(lambda key: "x" * 65_530 + key + "x" * 70_000),
    "chunks": _in_parts(3),
    "chunks-of-one": _in_parts(1),
    "trailer": lambda key: Answer(parts=(b"{}",), trailers=(("X-Echo", key),)),
    "gzip": _encoded("gzip", gzip.compress),
    "deflate": _encoded("deflate", zlib.compress),
    "unknown-coding": _encoded("br", lambda key: b"\0" + key),
}


class Echo:
    """Answers by the word ``how`` of the query, and counts the answers that held the key."""

    def __init__(self, key: str) -> None:
        self._key, self.given = key, set()

    def __call__(self, seen):
        how = parse_qs(urlsplit(seen.target).query).get("how", [""])[0]
        sent = seen.headers.get("authorization", "").removeprefix("apiKey ")
        if how not in HOW or sent != self._key:
            return Answer()
        self.given.add(how)
        return HOW[how](sent)
