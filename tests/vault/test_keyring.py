"""gnome-keyring for real: the contract, a locked keyring, and the backends that are refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keyring.backends.SecretService
import pytest

from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault.contract import LABELS, WritableContract, canary
from jupyter_qguard.vault.errors import SecretMissingError, SecretUnusableError, SourceUnavailableError
from jupyter_qguard.vault.keyring import KeyringSource
from jupyter_qguard.vault.local import LocalSource
from jupyter_qguard.vault.operating_system import system_keyring
from jupyter_qguard.vault.source import SourceSettings
from tests.vault.session import Session

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    started = Session(tmp_path_factory.mktemp("s"))
    yield started
    started.stop()


@pytest.fixture
def desktop(session, monkeypatch):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.bus)
    return session


def source(folder: Path, environ: dict[str, str] | None = None) -> KeyringSource:
    return KeyringSource(SourceSettings("keyring", folder, environ or {}))


@pytest.mark.usefixtures("desktop")
class TestContract(WritableContract):
    @pytest.fixture(autouse=True)
    def real(self, tmp_path, monkeypatch):
        self.folder, self.patch = tmp_path / "vault", monkeypatch

    def make(self):
        return source(self.folder)

    def make_unreachable(self):
        self.patch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        return source(self.folder)

    def plant(self, path, fields, labels):
        for name, value in fields.items():
            self.make().write(path, name, SecretValue(value), labels)

    def unplant(self, path):
        self.make().remove(path)


@pytest.mark.usefixtures("desktop")
def test_an_item_of_another_program_is_read_and_has_no_labels(tmp_path):
    value = canary()
    keyring.backends.SecretService.Keyring().set_password("qguard", "ibm", value)
    found = source(tmp_path / "vault").read("qguard/ibm")
    assert found.fields[""].reveal() == value
    assert found.labels == {}
    source(tmp_path / "vault").remove("qguard/ibm")
    assert keyring.backends.SecretService.Keyring().get_password("qguard", "ibm") is None


@pytest.mark.usefixtures("desktop")
def test_the_registry_holds_no_value(tmp_path):
    value = canary()
    source(tmp_path / "vault").write("qguard/one", "api_key", SecretValue(value), LABELS)
    for path in (tmp_path / "vault").iterdir():
        assert value.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("desktop")
def test_an_item_that_somebody_removed_is_missing(tmp_path):
    made = source(tmp_path / "vault")
    made.write("qguard/two", "first", SecretValue(canary()), LABELS)
    made.write("qguard/two", "second", SecretValue(canary()), LABELS)
    keyring.backends.SecretService.Keyring().delete_password("qguard", "two#second")
    with pytest.raises(SecretMissingError, match="two#second"):
        made.read("qguard/two")
    made.remove("qguard/two")
    assert list(made.paths()) == []


@pytest.mark.usefixtures("desktop")
def test_one_value_and_named_fields_do_not_mix(tmp_path):
    made = source(tmp_path / "vault")
    made.write("qguard/three", "", SecretValue(canary()), LABELS)
    with pytest.raises(SecretUnusableError, match="not both"):
        made.write("qguard/three", "api_key", SecretValue(canary()), LABELS)


@pytest.mark.usefixtures("desktop")
def test_a_damaged_registry_is_told_and_kept(tmp_path):
    made = source(tmp_path / "vault")
    made.write("qguard/four", "", SecretValue(canary()), LABELS)
    (tmp_path / "vault" / "keyring.json").write_text("{")
    for act in (lambda: made.read("qguard/four"), lambda: made.write("qguard/f", "", SecretValue("x"), LABELS)):
        with pytest.raises(SecretUnusableError, match="bring back a copy"):
            act()
    assert (tmp_path / "vault" / "keyring.json").read_text() == "{"


def test_a_locked_keyring_is_said_to_be_locked_and_nobody_is_asked(tmp_path, monkeypatch):
    session = Session(tmp_path)
    try:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.bus)
        made = source(tmp_path / "vault")
        made.write("qguard/ibm", "", SecretValue(canary()), LABELS)
        session.lock()
        for act in (lambda: made.read("qguard/ibm"), lambda: made.write("qguard/b", "", SecretValue("x"), LABELS)):
            with pytest.raises(SourceUnavailableError, match="locked: unlock it"):
                act()
    finally:
        session.stop()


# The embedded vault with its key in a keyring


@pytest.mark.usefixtures("desktop")
def test_the_key_of_the_embedded_vault_lies_in_the_keyring_if_there_is_one(tmp_path, monkeypatch):
    vault, value = LocalSource(SourceSettings("local", tmp_path / "vault")), canary()
    vault.write("ibm", "", SecretValue(value), LABELS)
    line = (tmp_path / "vault" / "vault.key").read_text()
    assert line.startswith("keyring:local-vault-")
    assert "AGE-SECRET-KEY" not in line
    assert LocalSource(SourceSettings("local", tmp_path / "vault")).read("ibm").fields[""].reveal() == value
    key = keyring.backends.SecretService.Keyring().get_password("jupyter-qguard", line.strip().removeprefix("keyring:"))
    assert key.startswith("AGE-SECRET-KEY")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    with pytest.raises(SourceUnavailableError, match="no keyring of an operating system"):
        vault.read("ibm")


@pytest.mark.usefixtures("desktop")
def test_a_key_that_is_gone_from_the_keyring_is_told(tmp_path):
    vault = LocalSource(SourceSettings("local", tmp_path / "vault"))
    vault.write("ibm", "", SecretValue(canary()), LABELS)
    item = (tmp_path / "vault" / "vault.key").read_text().strip().removeprefix("keyring:")
    keyring.backends.SecretService.Keyring().delete_password("jupyter-qguard", item)
    for act in (lambda: vault.read("ibm"), lambda: vault.write("b", "", SecretValue("x"), LABELS)):
        with pytest.raises(SourceUnavailableError, match=item):
            act()


# What is refused


@pytest.mark.parametrize(
    "name",
    [
        "keyrings.alt.file.PlaintextKeyring",
        "keyrings.alt.file.EncryptedKeyring",
        "keyring.backends.null.Keyring",
        "keyring.backends.fail.Keyring",
        "keyring.backends.chainer.ChainerBackend",
        "no.such.Backend",
    ],
)
@pytest.mark.usefixtures("desktop")
def test_another_backend_is_refused_by_its_name(tmp_path, name):
    made = source(tmp_path / "vault", {"PYTHON_KEYRING_BACKEND": name})
    assert name in made.viable()
    with pytest.raises(SourceUnavailableError, match=name):
        made.write("qguard/ibm", "", SecretValue(canary()), LABELS)
    assert not (tmp_path / "vault" / "keyring.json").exists()


TRAP = """
import keyring, keyring.backends.chainer
chosen = keyring.get_keyring()
print([type(each).__name__ for each in getattr(chosen, "backends", [chosen])])
keyring.set_password("qguard", "trap", "planted-in-plain-text")
"""
OURS = """
import sys
from pathlib import Path
from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault.errors import VaultError
from jupyter_qguard.vault.keyring import KeyringSource
from jupyter_qguard.vault.source import SourceSettings
source = KeyringSource(SourceSettings("keyring", Path(sys.argv[1]), {}))
print(source.viable())
try:
    source.write("qguard/ours", "", SecretValue("planted-by-the-guard"), {})
except VaultError as error:
    print(error)
print("keyrings.alt" in sys.modules, "evil_backend" in sys.modules)
"""


def python(code: str, home: Path, *arguments: str) -> str:
    environ = {"HOME": str(home), "PATH": os.environ["PATH"], "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_where_the_library_would_write_plain_text_the_guard_refuses(tmp_path):
    """Without a bus, and with the alternative backends installed, the library's own choice is a plain file."""
    assert "PlaintextKeyring" in python(TRAP, tmp_path)
    assert any(path.name == "keyring_pass.cfg" for path in tmp_path.rglob("*"))
    told = python(OURS, tmp_path, str(tmp_path / "vault"))
    assert told.count("no keyring of an operating system is there") == 2
    assert "these are not used: keyrings.alt" in told
    assert told.rstrip().endswith("False False")
    assert not list((tmp_path / "vault").glob("keyring.json"))


def test_no_file_of_the_user_makes_the_guard_import_code(tmp_path):
    """The library's settings name a folder to import from, and a kernel may be able to write them."""
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "evil_backend.py").write_text(
        "import keyring.backends.null\nKeyring = keyring.backends.null.Keyring\n"
    )
    for folder in (tmp_path / "python_keyring", tmp_path / ".config" / "python_keyring"):
        folder.mkdir(parents=True)
        (folder / "keyringrc.cfg").write_text(
            f"[backend]\ndefault-keyring=evil_backend.Keyring\nkeyring-path={tmp_path}/evil\n"
        )
    shown = python("import keyring, sys; keyring.get_keyring(); print('evil_backend' in sys.modules)", tmp_path)
    assert shown.strip() == "True"
    assert python(OURS, tmp_path, str(tmp_path / "vault")).rstrip().endswith("False False")


@pytest.mark.usefixtures("desktop")
def test_a_real_one_that_was_chosen_by_name_is_taken():
    assert system_keyring({"PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"})
