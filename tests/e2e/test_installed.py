"""The built wheel, in an environment where nothing else was set up: the guard is on, and every way to write is shut.

``tests/e2e/matrix.sh`` runs this against environments with other versions of Jupyter: ``QGUARD_PYTHON`` names theirs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.write_paths import REDACTED, REFUSED, Way
from tests.server.harness import JupyterServer
from tests.server.planted import make_secret

pytestmark = pytest.mark.e2e
REPOSITORY = Path(__file__).parents[2]
PAGES = {"jupyterlab": "/lab", "notebook": "/tree"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment with the wheel, and for the rest with what this one has."""
    given = os.environ.get("QGUARD_PYTHON")
    if given:
        return given
    folder = tmp_path_factory.mktemp("wheel")
    own = [sys.executable, "-m"]
    run([*own, "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(REPOSITORY)])
    (wheel,) = folder.glob("*.whl")
    run([*own, "venv", "--without-pip", str(folder / "venv")])
    installed = str(folder / "venv" / "bin" / "python")
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    run([*own, "pip", "--python", installed, *install])
    # A line of a .pth file puts a folder on the path and no more: the editable install of this one stays unseen.
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "rest.pth").write_text(sysconfig.get_path("purelib"))
    return installed


def run(command: list[str]) -> str:
    environment = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "JUPYTER_CONFIG_DIR": "/nowhere"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)


@pytest.fixture(scope="module")
def server(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A server that loads what is enabled there."""
    started = JupyterServer(tmp_path_factory.mktemp("installed"), extensions=None, python=python)
    try:
        yield started.start()
    finally:
        started.stop()


def test_the_code_is_that_of_the_wheel(python: str) -> None:
    place = run([python, "-c", "import jupyter_qguard; print(jupyter_qguard.__file__)"])
    assert not Path(place).is_relative_to(REPOSITORY / "jupyter_qguard")


def test_the_extension_is_enabled(python: str) -> None:
    listed = run([python, "-m", "jupyter_server", "extension", "list"])
    assert "jupyter_qguard enabled" in listed
    assert "OK" in listed[listed.index("jupyter_qguard enabled") :]


def test_the_server_is_guarded(server: JupyterServer) -> None:
    assert server.status()["contents"].startswith("whole: ")


def test_the_pages_of_the_front_ends_open(python: str, server: JupyterServer) -> None:
    listed = run([python, "-m", "jupyter_server", "extension", "list"])
    for name, page in PAGES.items():
        if f"{name} enabled" in listed:
            assert server.request("GET", page).status == 200


@pytest.mark.parametrize("way", [*REFUSED.values(), *REDACTED.values()], ids=[*REFUSED, *REDACTED])
def test_no_secret_reaches_the_disk(server: JupyterServer, way: Way) -> None:
    secret = make_secret(f"installed {way.__name__}")
    tried = way(server, way.__name__, secret)
    assert (tried.last in (400, 422)) is (way.__name__ in REFUSED), tried.replies[-1].body
    assert set(server.leaks(secret)) <= set(tried.planted)
