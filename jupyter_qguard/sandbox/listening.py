"""Unix sockets that other programs of the machine listen at: a read-only mount does not keep a kernel from them."""

from __future__ import annotations

from pathlib import Path

from jupyter_qguard.sandbox.mounts import SHARED

_LISTED = Path("/proc/net/unix")
_PATH = 7
"""Column of the path; missing where a socket has none, and with ``@`` first where it is abstract."""
_MOST = 200
"""Each costs a mount."""


def listening_sockets(listed: Path = _LISTED) -> list[Path]:
    """The sockets with a path outside of the folders that a kernel gets empty anyway.

    Accepted: one that is made after the kernel's start is reachable, if it lies outside of every hidden folder.
    """
    try:
        lines = listed.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    paths = {
        Path(columns[_PATH]) for columns in (line.split(maxsplit=_PATH) for line in lines[1:]) if len(columns) > _PATH
    }
    seen = (path for path in sorted(paths) if path.is_absolute())
    return [
        path for path in seen if not any(path.is_relative_to(top) for top in (*SHARED, "/var/run")) and _is_socket(path)
    ][:_MOST]


def _is_socket(path: Path) -> bool:
    try:
        return path.is_socket()
    except OSError:
        return False  # in a folder that this user cannot enter: neither can the kernel
