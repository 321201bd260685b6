"""How a person asks something of gateways from outside of kernels: files in the guard's folder.

No kernel of tier ``netns`` sees that folder, and the token of the server is worth nothing there: whoever can write into it
has a shell of the user outside of the guard. A gateway that a request concerns records it, does it, and answers in a file
beside it. What it grants lives in its memory alone, and ends with it.
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


class AllowRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="allow"):
    """Let one kernel reach a host for a while."""

    kernel: Annotated[str, msgspec.Meta(min_length=8, max_length=100)]
    """Its id, or how that begins."""
    target: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]
    """A URL, a host, ``host:port``."""
    seconds: Annotated[int, msgspec.Meta(ge=1, le=LONGEST)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
    asked: float
    """Seconds since the epoch."""


class LeasesRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="leases"):
    """Say what is lent, and end it where there is a reason to."""

    which: Annotated[str, msgspec.Meta(max_length=400)] = ""
    """Id of a lease or a kernel, or how that begins; an access entry; empty: all."""
    revoke: Annotated[str, msgspec.Meta(max_length=400)] = ""
    """Why; empty where nothing is to end."""
    asked: float
    """Seconds since the epoch."""


Request = AllowRequest | LeasesRequest


class LeaseShown(msgspec.Struct, frozen=True, kw_only=True):
    """A lease, as people see it."""

    lease: str
    access: str
    vendor: str
    environment: str
    custody: str
    kernel: str
    notebook: str
    until: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request at one gateway."""

    done: bool
    text: str = ""
    """One line for the person."""
    leases: tuple[LeaseShown, ...] = ()


class Spool:
    """The two sides' folder. Blocks; raises SourceUnavailableError where the system refuses."""

    def __init__(self, path: Path) -> None:
        self._folder = PrivateFolder(path)
        self._mine = os.urandom(4).hex()
        """Part of the names of the answers of this gateway, among several."""

    @classmethod
    def of(cls, environ: Mapping[str, str], home: Path) -> Spool:
        """The one in the user's state folder, beside the key of the trail: every sandbox hides it from kernels."""
        return cls(audit_paths(None, environ, home).key.parent / "allow")

    def prepare(self) -> None:
        """Make the folder before there is a kernel, and forget what nobody waits for."""
        with self._folder.writing():
            self._tidy()

    def ask(self, request: Request) -> str:
        """Leave *request* for gateways; the name under which their answers will be."""
        name = os.urandom(8).hex()
        with self._folder.writing():
            self._tidy()
            self._folder.replace(name + _REQUEST, msgspec.json.encode(request))
        return name

    def take_back(self, name: str) -> list[Answer]:
        """The answers to what was asked as *name*; request and answers are gone after that."""
        with self._folder.writing():
            files = self._answers(name)
            found = [self._folder.read(path.name) for path in files]
            for path in (self._folder.path / f"{name}{_REQUEST}", *files):
                path.unlink(missing_ok=True)
        return [msgspec.json.decode(data, type=Answer) for data in found if data is not None]

    def answered(self, name: str) -> int:
        """How many gateways have answered."""
        return len(self._answers(name))

    def requests(self) -> list[tuple[str, Request]]:
        """What is asked for and not answered by this side.

        Without what nobody waits for any more or nobody can read.
        """
        found = []
        for name in self._names():
            data = self._folder.read(name + _REQUEST)
            try:
                request = _DECODER.decode(data or b"")
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            if abs(time.time() - request.asked) <= WAITS and not self._own_answer(name).exists():
                found.append((name, request))
        return found

    def answer(self, name: str, answer: Answer) -> None:
        """Leave *answer* for whoever asked as *name*."""
        with self._folder.writing():
            if (self._folder.path / f"{name}{_REQUEST}").exists():
                self._folder.replace(self._own_answer(name).name, msgspec.json.encode(answer))

    def _own_answer(self, name: str) -> Path:
        return self._folder.path / f"{name}-{self._mine}{_ANSWER}"

    def _answers(self, name: str) -> list[Path]:
        return sorted(self._folder.path.glob(f"{name}-*{_ANSWER}"))

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


_DECODER: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


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
