"""Sockets that a read-only mount would leave open."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest

from jupyter_qguard.sandbox.listening import listening_sockets
from tests.users import NOBODY


def test_a_socket_outside_of_shared_folders_is_found_and_nothing_else_is(tmp_path):
    place = Path.cwd() / f".socket-{tmp_path.name}"
    try:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(str(place))
            listed = tmp_path / "unix"
            line = "0: 00000002 00000000 00010000 0001 01 1"
            listed.write_text(f"Num RefCount\n{line} {place}\n{line} @abstract\n{line}\n{line} /tmp/x\n{line} /gone\n")
            expected = [] if place.is_relative_to("/tmp") else [place]
            assert listening_sockets(listed) == expected
    finally:
        place.unlink(missing_ok=True)


def test_where_nothing_is_listed_nothing_is_hidden(tmp_path):
    assert listening_sockets(tmp_path / "missing") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stand in for two users")
def test_a_socket_in_a_folder_of_another_user_does_not_end_the_search(tmp_path):
    private = Path(tempfile.mkdtemp(dir="/var/lib"))  # where no kernel has a folder of its own
    listed = tmp_path / "unix"
    listed.write_text(f"Num\n0: 00000002 00000000 00010000 0001 01 1 {private}/socket\n")
    tmp_path.parent.chmod(0o755)
    tmp_path.parent.parent.chmod(0o755)
    tmp_path.chmod(0o755)
    try:
        os.seteuid(NOBODY)
        assert listening_sockets(listed) == []
    finally:
        os.seteuid(0)
        private.rmdir()
