"""How a person asks from outside of kernels that one of them may reach a host for a while: files in the guard's folder.

No kernel of tier ``netns`` sees that folder, and the token of the server is worth nothing there: whoever can write into it
has a shell of the user outside of the guard. The gateway that serves the kernel takes the request, records it, and answers
in a file beside it. What it grants lives in its memory alone, and ends with it.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import time
from typing import TYPE_CHECKING, Annotated

import msgspec

from jupyter_qguard.audit import audit_paths
from jupyter_qguard.errors import InputError
from jupyter_qguard.policy.allowance import LONGEST
from jupyter_qguard.vault.folder import PrivateFolder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WAITS = 30.0
"""Seconds after which nobody waits for the answer to a request any more, and it is not done."""
_REQUEST, _ANSWER = ".request", ".answer"
_NAME = re.compile(r"[0-9a-f]{16}")


class AllowRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person asks for."""

    kernel: Annotated[str, msgspec.Meta(min_length=8, max_length=100)]
    """Its id, or how that begins."""
    target: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]
    """A URL, a host, ``host:port``."""
    seconds: Annotated[int, msgspec.Meta(ge=1, le=LONGEST)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
    asked: float
    """Seconds since the epoch."""


class AllowAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it."""

    granted: bool
    text: str
    """One line for the person."""


class AllowFolder:
    """The two sides' folder. Blocks; raises SourceUnavailableError where the system refuses."""

    def __init__(self, path: Path) -> None:
        self._folder = PrivateFolder(path)

    @classmethod
    def of(cls, environ: Mapping[str, str], home: Path) -> AllowFolder:
        """The one in the user's state folder, beside the key of the trail: every sandbox hides it from kernels."""
        return cls(audit_paths(None, environ, home).key.parent / "allow")

    def prepare(self) -> None:
        """Make the folder before there is a kernel, and forget what nobody waits for."""
        with self._folder.writing():
            self._tidy()

    def ask(self, request: AllowRequest) -> str:
        """Leave *request* for the gateway; the name under which its answer will be."""
        name = os.urandom(8).hex()
        with self._folder.writing():
            self._tidy()
            self._folder.replace(name + _REQUEST, msgspec.json.encode(request))
        return name

    def take_back(self, name: str) -> AllowAnswer | None:
        """The answer to what was asked as *name*, if there is one; both are gone after that."""
        with self._folder.writing():
            data = self._folder.read(name + _ANSWER)
            for ending in (_REQUEST, _ANSWER):
                (self._folder.path / f"{name}{ending}").unlink(missing_ok=True)
        return None if data is None else msgspec.json.decode(data, type=AllowAnswer)

    def answered(self, name: str) -> bool:
        """Whether there is an answer."""
        return (self._folder.path / f"{name}{_ANSWER}").exists()

    def requests(self) -> list[tuple[str, AllowRequest]]:
        """What is asked for and not answered, without what nobody waits for any more or nobody can read."""
        found = []
        for name in self._names():
            data = self._folder.read(name + _REQUEST)
            try:
                request = msgspec.json.decode(data or b"", type=AllowRequest)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            if abs(time.time() - request.asked) <= WAITS and not self.answered(name):
                found.append((name, request))
        return found

    def answer(self, name: str, answer: AllowAnswer) -> None:
        """Leave *answer* for whoever asked as *name*."""
        with self._folder.writing():
            if (self._folder.path / f"{name}{_REQUEST}").exists():
                self._folder.replace(name + _ANSWER, msgspec.json.encode(answer))

    def _names(self) -> list[str]:
        try:
            files = list(self._folder.path.iterdir())
        except FileNotFoundError:
            return []
        found = [path.stem for path in files if path.suffix == _REQUEST]
        return sorted(name for name in found if _NAME.fullmatch(name))

    def _tidy(self) -> None:
        for path in list(self._folder.path.iterdir()):
            if path.suffix in (_REQUEST, _ANSWER) and time.time() - path.stat().st_mtime > 2 * WAITS:
                path.unlink(missing_ok=True)


def until_text(seconds: float) -> str:
    """The time in so many seconds, for people and records."""
    end = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds)
    return end.strftime("%Y-%m-%dT%H:%M:%SZ")


def the_one(kernels: Mapping[str, object], begins: str) -> str | None:
    """The kernel whose id begins so; None where this gateway serves none.

    Raises
    ------
    InputError
        There are several.
    """
    found = [kernel for kernel in kernels if kernel.startswith(begins)]
    if len(found) > 1:
        message = f"{len(found)} kernels begin with these characters: give more of the id"
        raise InputError(message)
    return found[0] if found else None
