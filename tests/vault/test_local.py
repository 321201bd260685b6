"""The embedded vault: the contract, and what a file on a disk must stand."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault.contract import LABELS, WritableContract, canary
from jupyter_qguard.vault.errors import SecretUnusableError, SourceUnavailableError, VaultError
from jupyter_qguard.vault.local import LocalSource
from jupyter_qguard.vault.source import SourceSettings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_session_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's desktop keyring is part of this test."""
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)


def source(folder: Path) -> LocalSource:
    return LocalSource(SourceSettings("local", folder))


class TestContract(WritableContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.place = tmp_path / "vault"

    def make(self):
        return source(self.place)

    def make_unreachable(self):
        self.make().write("first", "", SecretValue(canary()), LABELS)
        (self.place / "vault.key").unlink()
        return self.make()

    def plant(self, path, fields, labels):
        for name, value in fields.items():
            self.make().write(path, name, SecretValue(value), labels)

    def unplant(self, path):
        self.make().remove(path)


def test_only_the_owner_may_use_its_files_and_no_file_holds_a_value(tmp_path):
    value, old = canary(), os.umask(0)
    try:
        source(tmp_path / "vault").write("ibm", "", SecretValue(value), LABELS)
    finally:
        os.umask(old)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "vault").iterdir()}
    assert modes == {"lock": 0o600, "vault.age": 0o600, "vault.key": 0o600}
    assert (tmp_path / "vault").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "vault").iterdir():
        assert value.encode() not in path.read_bytes()


@pytest.mark.parametrize("name", ["vault.age", "vault.key", ""])
def test_what_others_may_read_is_refused(tmp_path, name):
    source(tmp_path / "vault").write("ibm", "", SecretValue(canary()), LABELS)
    (tmp_path / "vault" / name).chmod(0o755 if not name else 0o640)
    with pytest.raises(SourceUnavailableError, match="chmod"):
        source(tmp_path / "vault").read("ibm")


def test_a_link_in_its_place_is_not_followed(tmp_path):
    source(tmp_path / "vault").write("ibm", "", SecretValue(canary()), LABELS)
    (tmp_path / "vault" / "vault.age").rename(tmp_path / "elsewhere")
    (tmp_path / "vault" / "vault.age").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceUnavailableError):
        source(tmp_path / "vault").read("ibm")


@pytest.mark.parametrize("damage", [b"", b"not age", None])
def test_a_damaged_vault_is_told_and_never_written_over(tmp_path, damage):
    vault, made = tmp_path / "vault" / "vault.age", source(tmp_path / "vault")
    made.write("ibm", "", SecretValue(canary()), LABELS)
    whole = vault.read_bytes()
    data = whole[:-7] if damage is None else damage
    vault.write_bytes(data)
    for act in (lambda: made.read("ibm"), lambda: made.write("new", "", SecretValue(canary()), LABELS)):
        with pytest.raises(SecretUnusableError, match=r"cannot be opened"):
            act()
    assert vault.read_bytes() == data
    vault.write_bytes(whole)
    assert made.read("ibm").version == "1"


def test_another_key_opens_nothing_and_nothing_is_lost(tmp_path):
    made = source(tmp_path / "vault")
    made.write("ibm", "", SecretValue(canary()), LABELS)
    source(tmp_path / "other").write("ibm", "", SecretValue(canary()), LABELS)
    (tmp_path / "vault" / "vault.key").write_bytes((tmp_path / "other" / "vault.key").read_bytes())
    with pytest.raises(SecretUnusableError):
        made.read("ibm")
    (tmp_path / "vault" / "vault.key").write_text("nothing like a key\n")
    with pytest.raises(SecretUnusableError, match=r"holds no key"):
        made.read("ibm")


def test_one_value_and_named_fields_do_not_mix(tmp_path):
    made, value = source(tmp_path / "vault"), canary()
    made.write("ibm", "", SecretValue(value), LABELS)
    with pytest.raises(SecretUnusableError, match="one value without"):
        made.write("ibm", "api_key", SecretValue(canary()), LABELS)
    made.write("aws", "access_key_id", SecretValue(canary()), LABELS)
    with pytest.raises(SecretUnusableError, match="access_key_id"):
        made.write("aws", "", SecretValue(canary()), LABELS)
    assert made.read("ibm").fields[""].reveal() == value


def test_a_full_disk_loses_nothing(tmp_path):
    made, value = source(tmp_path / "vault"), canary()
    made.write("ibm", "", SecretValue(value), LABELS)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # as a full disk: no file grows beyond that
    try:
        with pytest.raises(SourceUnavailableError):
            made.write("ibm", "", SecretValue(canary()), LABELS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert made.read("ibm").fields[""].reveal() == value
    assert sorted(path.name for path in (tmp_path / "vault").iterdir()) == ["lock", "vault.age", "vault.key"]


WRITER = """
import sys, pathlib
from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault.local import LocalSource
from jupyter_qguard.vault.source import SourceSettings
folder, name, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
source = LocalSource(SourceSettings("local", folder))
for number in range(count):
    source.write(f"{name}/{number}", "", SecretValue(f"value-{name}-{number}"), {"owner": name})
    sys.stdout.write(f"{name}/{number}\\n")
    sys.stdout.flush()
"""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), name, str(count)]
    environ = {key: value for key, value in os.environ.items() if key != "DBUS_SESSION_BUS_ADDRESS"}
    return subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.e2e
def test_what_was_acknowledged_survives_a_kill(tmp_path):
    folder, draw, told = tmp_path / "vault", Random(11), set()
    for attempt in range(5):
        process = writer(folder, f"round{attempt}", 10**6)
        head = [process.stdout.readline() for _ in range(draw.randrange(1, 25))]
        process.kill()
        rest, errors = process.communicate()
        assert errors == ""
        told |= {line.strip() for line in (*head, *rest.splitlines()) if line.strip()}
        assert told <= set(source(folder).paths())
    source(folder).write("last", "", SecretValue("x"), LABELS)
    assert sorted(path.name for path in folder.iterdir()) == ["lock", "vault.age", "vault.key"]  # and no drafts


@pytest.mark.e2e
def test_two_processes_that_write_lose_nothing(tmp_path):
    writers = [writer(tmp_path / "vault", name, 12) for name in ("a", "b", "c")]
    outputs = [process.communicate(timeout=120) for process in writers]
    assert [process.returncode for process in writers] == [0, 0, 0], outputs
    found = source(tmp_path / "vault")
    assert sorted(found.paths()) == sorted(f"{name}/{number}" for name in "abc" for number in range(12))
    assert found.read("b/7").fields[""].reveal() == "value-b-7"


def test_a_vault_that_may_not_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VaultError, match="file"):
        source(tmp_path / "file" / "vault").write("ibm", "", SecretValue(canary()), LABELS)
