"""What nbconvert makes of a notebook with secrets comes out without them: from the server, and on the command line."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.server.everywhere import PIXEL, everywhere
from tests.server.harness import JupyterServer, Reply, encodings
from tests.server.planted import as_file

pytestmark = pytest.mark.e2e

PRINTED = ("latex", "rst", "asciidoc")
FAULTS = Path(__file__).parent.parent / "server" / "faults"
FORMATS = ("html", "slides", "markdown", "script", "notebook", "python", *PRINTED)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    yield from _server(tmp_path_factory.mktemp("guarded"), guarded=True)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    yield from _server(tmp_path_factory.mktemp("stock"), guarded=False)


def _server(folder: Path, *, guarded: bool) -> Iterator[JupyterServer]:
    server = JupyterServer(folder, guarded=guarded)
    server.environment["PYTHONPATH"] = str(FAULTS)
    lay_out(server.root)
    try:
        yield server.start()
    finally:
        server.stop()


def lay_out(folder: Path) -> None:
    """Put the notebooks there as a kernel or git would."""
    for form in FORMATS:
        document, _ = everywhere(plain=form in PRINTED)
        nbformat.validate(document)
        (folder / f"{form}.ipynb").write_text(as_file(document))


def unpacked(reply: Reply) -> bytes:
    """The body, or all files of it if it is an archive."""
    if not reply.body.startswith(b"PK"):
        return reply.body
    with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


def leaked(exported: bytes, form: str) -> set[str]:
    """The places whose secret is in what was exported."""
    _, secrets = everywhere(plain=form in PRINTED)
    return {place for place, secret in secrets.items() if any(needle in exported for needle in encodings(secret))}


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_is_exported_redacted(guarded: JupyterServer, form: str) -> None:
    reply = guarded.request("GET", f"/nbconvert/{form}/{form}.ipynb")
    assert reply.status == 200, reply.body
    assert leaked(unpacked(reply), form) == set()
    assert b"redacted:" in unpacked(reply)
    assert PIXEL.encode() in unpacked(reply) or form not in ("html", "slides", "notebook")


@pytest.mark.parametrize("form", FORMATS)
def test_content_of_an_editor_is_exported_redacted(guarded: JupyterServer, form: str) -> None:
    document, _ = everywhere(plain=form in PRINTED)
    reply = guarded.request("POST", f"/nbconvert/{form}", {"name": f"{form}.ipynb", "content": document})
    assert reply.status == 200, reply.body
    assert leaked(unpacked(reply), form) == set()


@pytest.mark.parametrize("form", FORMATS)
def test_a_stock_server_exports_the_secrets(stock: JupyterServer, form: str) -> None:
    reply = stock.request("GET", f"/nbconvert/{form}/{form}.ipynb")
    assert reply.status == 200
    assert "source" in leaked(unpacked(reply), form)


@pytest.mark.parametrize("part", ["scanner", "redactor", "policy", "decision"])
def test_a_redactor_that_fails_fails_the_export(guarded: JupyterServer, part: str) -> None:
    document, secrets = everywhere(plain=True)
    document["metadata"]["part"] = part  # another notebook each time: what was found before may be remembered
    (guarded.root / f"{part}.ipynb").write_text(as_file(document))
    (guarded.temp / "fault").write_text(part)
    try:
        for reply in (
            guarded.request("GET", f"/nbconvert/script/{part}.ipynb"),
            guarded.request("POST", "/nbconvert/script", {"name": "n.ipynb", "content": document}),
        ):
            assert reply.status == 500
            assert not any(secret in reply.body.decode() for secret in secrets.values())
        assert leaked(guarded.log.encode(), "html") == set()
    finally:
        (guarded.temp / "fault").unlink()


def test_settings_of_an_exporter_do_not_take_the_redactor_out(tmp_path: Path) -> None:
    """A list for one class of exporters replaces the list for all of them."""
    options = {
        "Exporter.preprocessors": [],
        "HTMLExporter.preprocessors": ["nbconvert.preprocessors.ClearMetadataPreprocessor"],
        "MarkdownExporter.preprocessors": [],
    }
    server = JupyterServer(tmp_path / "server", options=options)
    lay_out(server.root)
    try:
        server.start()
        for form in ("html", "markdown", "script"):
            reply = server.request("GET", f"/nbconvert/{form}/{form}.ipynb")
            assert leaked(unpacked(reply), form) == set()
    finally:
        server.stop()


JUPYTER = str(Path(sys.executable).with_name("jupyter"))
ONE_PROCESS = """
import sys
from nbconvert.nbconvertapp import NbConvertApp
for form in sys.argv[1:]:
    app = NbConvertApp()
    app.initialize(["--to", form, "--output-dir", f"output/{form}", f"input/{form}.ipynb"])
    app.start()
"""


class CommandLine:
    """``jupyter nbconvert`` with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for place in ("input", "home", "tmp"):
            (folder / place).mkdir()
        lay_out(folder / "input")

    def nbconvert(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
        """Export the notebook of the script exporter."""
        options = [*arguments, "--output-dir", "output", "input/script.ipynb"]
        return self.run([JUPYTER, "nbconvert", "--to", "script", *options], **variables)

    def run(self, command: list[str], **variables: str) -> subprocess.CompletedProcess[bytes]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "XDG_CACHE_HOME": os.environ.get("QGUARD_TEST_CACHE", str(Path.home() / ".cache")),
            **variables,
        }
        return subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, timeout=300, check=False)

    def written(self, form: str = "") -> bytes:
        """All that was exported."""
        return b"\n".join(file.read_bytes() for file in (self.folder / "output" / form).rglob("*") if file.is_file())


@pytest.fixture
def command(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def test_every_exporter_of_the_command_line_redacts(command: CommandLine) -> None:
    done = command.run([sys.executable, "-c", ONE_PROCESS, *FORMATS])
    assert done.returncode == 0, done.stderr.decode()
    for form in FORMATS:
        assert b"redacted:" in command.written(form), form
        assert (form, leaked(command.written(form), form)) == (form, set())
    assert leaked(done.stdout + done.stderr, "html") == set()


def test_no_setting_of_the_redactor_turns_it_off(command: CommandLine) -> None:
    done = command.nbconvert("--stdout", "--QGuardPreprocessor.enabled=False")
    assert done.returncode == 0, done.stderr.decode()
    assert b"redacted:" in done.stdout
    assert leaked(done.stdout + done.stderr, "script") == set()


def test_whoever_types_the_command_can_take_the_redactor_out(command: CommandLine) -> None:
    """The accepted loss of the command line, told in docs/reference/server.md: it is the user's own process."""
    assert command.nbconvert("--Exporter.preprocessors=[]").returncode == 0
    assert "source" in leaked(command.written(), "script")


def test_a_redactor_that_fails_fails_the_command(command: CommandLine) -> None:
    (command.folder / "tmp" / "fault").write_text("scanner")
    done = command.nbconvert(PYTHONPATH=str(FAULTS))
    assert done.returncode != 0
    assert command.written() == b""
    assert leaked(done.stdout + done.stderr, "script") == set()
