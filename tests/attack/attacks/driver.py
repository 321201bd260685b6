"""Runs the attacks of one kernel, each in a process of its own, and tells what each said."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import sys
import time
from typing import TYPE_CHECKING

from . import MODULES
from .base import ATTACKS, Target, World

if TYPE_CHECKING:
    from .base import Attack

MARK = "attacks-said:"
_MOST = 65536
_BESIDE = 6


def load() -> list[Attack]:
    """All attacks."""
    for module in MODULES:
        importlib.import_module(f".{module}", __package__)
    return ATTACKS


def run(spec: str) -> None:
    """Try what *spec* (JSON: the world, and name, number, nonce and path of each attack) lists, and print what was said."""
    told = json.loads(spec)
    world = World(**told["world"])
    known = {each.name: each for each in load()}
    waiting = [(known[name], Target(number, nonce, world, path)) for name, number, nonce, path in told["attacks"]]
    waiting.reverse()
    running: dict[int, tuple[str, int, float, bytearray]] = {}
    said: dict[str, str] = {}
    while waiting or running:
        while waiting and len(running) < (1 if waiting[-1][0].alone else _BESIDE):
            one, target = waiting.pop()
            end, child = _start(one, target)
            running[end] = (one.name, child, time.monotonic() + one.seconds, bytearray())
        ready, _, _ = select.select(list(running), [], [], 0.05)
        for end in list(running):
            name, child, until, got = running[end]
            data = os.read(end, _MOST) if end in ready else None
            if data:
                got += data
            elif data == b"" or time.monotonic() > until:
                said[name] = got.decode("utf-8", "replace") or _ended(child, late=data is None)
                del running[end]
                _stop(child)
                os.close(end)
    print(MARK + json.dumps(said))


def _start(one: Attack, target: Target) -> tuple[int, int]:
    end, other = os.pipe()
    child = os.fork()
    if child:
        os.close(other)
        return end, child
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        for number in (1, 2):
            os.dup2(null, number)
        try:
            text = _text(one.run(target))
        except BaseException as problem:  # noqa: BLE001
            text = f"{type(problem).__name__}: {problem}"
        _write(other, text.encode("utf-8", "replace")[:_MOST])
    finally:
        os._exit(0)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes | bytearray) else str(value)


def _write(end: int, data: bytes) -> None:
    while data:
        data = data[os.write(end, data) :]


def _ended(child: int, *, late: bool) -> str:
    return "still at it when its time was up" if late else f"process {child} ended without a word"


def _stop(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except OSError:
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.waitpid(child, 0)


if __name__ == "__main__":
    run(sys.stdin.read())
