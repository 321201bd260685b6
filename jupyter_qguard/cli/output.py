"""Writes what a command made: whole files, and text that commands no terminal."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file all or nothing, keeping mode and owner of one that is there.

    A link is followed, so that what it points to is replaced and not the link; what is no file (a pipe, a device) is
    written to as it stands.
    """
    path = Path(os.path.realpath(path))
    try:
        before = path.stat()
    except FileNotFoundError:
        before = None
    if before and not stat.S_ISREG(before.st_mode):
        path.write_bytes(data)
        return
    fresh = path.with_name(f".qguard-{os.urandom(8).hex()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if before:
                with contextlib.suppress(PermissionError):  # only root can give a file away
                    os.fchown(descriptor, before.st_uid, before.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(before.st_mode) if before else 0o666 & ~_umask())
            os.fsync(descriptor)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def plain(text: str) -> str:
    """*text* with whatever could command a terminal or break a line as an escape; names that are no UTF-8 stay."""
    if text.isprintable():
        return text
    return "".join(_escaped(char) for char in text)


def encoded(text: str) -> bytes:
    """*text* as UTF-8; file names that are no UTF-8 as the bytes that they are, other lone surrogates as escapes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def encoded_json(text: str) -> bytes:
    """JSON text as UTF-8: lone surrogates, which are in strings only, as the escapes that JSON has for them."""
    return text.encode("utf-8", "backslashreplace")


def _escaped(char: str) -> str:
    if char.isprintable() or "\udc80" <= char <= "\udcff":
        return char
    return char.encode("unicode_escape").decode()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
