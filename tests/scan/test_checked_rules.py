"""Rules that are kept after they were checked: the same rules, and only where nobody else could have put others."""

from __future__ import annotations

import os
import stat

import msgspec
import pytest

from jupyter_qguard.scan.ruleset import Written, checked_rules, written_rules

NONE = msgspec.msgpack.encode(Written((), ()))
_SOURCE_BYTES = 32


@pytest.fixture
def folder(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o700)
    checked_rules(kept)
    return kept


def poison(folder) -> None:
    """Keep no rule at all, under the digest of the true ones."""
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:_SOURCE_BYTES] + NONE)


def test_what_is_kept_is_what_is_written(folder):
    assert [path.name for path in folder.iterdir()] == ["checked.rules"]
    assert checked_rules(folder) == written_rules()


def test_what_is_kept_is_read(folder):
    poison(folder)
    assert checked_rules(folder) == Written((), ())


@pytest.mark.parametrize("mode", [stat.S_IWGRP, stat.S_IWOTH])
def test_nothing_is_read_from_a_folder_or_a_file_that_others_may_write(folder, mode):
    poison(folder)
    (path,) = folder.iterdir()
    path.chmod(0o600 | mode)
    assert checked_rules(folder) == written_rules()  # and now the true ones are kept again
    poison(folder)
    folder.chmod(0o700 | mode)
    assert checked_rules(folder) == written_rules()
    folder.chmod(0o700)
    assert checked_rules(folder) == Written((), ())  # nothing was kept there meanwhile


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("of", ["folder", "file"])
def test_nothing_is_read_that_belongs_to_somebody_else(folder, of):
    poison(folder)
    (path,) = folder.iterdir()
    os.chown(folder if of == "folder" else path, 65534, -1)
    assert checked_rules(folder) == written_rules()


@pytest.mark.parametrize("spoil", [lambda data: data[:0], lambda data: data[:-9], lambda data: b"\0" * 32 + data[32:]])
def test_what_is_of_another_version_or_broken_is_written_anew(folder, spoil):
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    assert checked_rules(folder) == written_rules()
    assert path.read_bytes() == whole


def test_without_a_folder_the_rules_are_read_as_they_are_written(tmp_path):
    assert checked_rules(tmp_path / "none") == written_rules()
    assert not (tmp_path / "none").exists()
