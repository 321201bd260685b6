"""Where vendors' tools keep credentials, by the catalogue."""

from __future__ import annotations

from pathlib import Path

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.sandbox.credentials import credential_paths

HOME, WORK = Path("/home/ada"), Path("/srv/nb")


def found(**environ: str) -> set[str]:
    return {str(path) for path in credential_paths(load_catalog(), home=HOME, workspace=WORK, environ=environ)}


def test_a_vendors_own_folder_is_hidden_whole_and_no_shared_one():
    paths = found()
    assert {"/home/ada/.qiskit", "/home/ada/.qbraid", "/home/ada/.config/dwave", "/home/ada/.tc.auth.json"} <= paths
    assert "/home/ada/.aws/sso/cache" in paths or "/home/ada/.aws" in paths
    shared = {"", "/.config", "/.local", "/.local/share", "/.cache"}
    assert not {f"/home/ada{name}" for name in shared} & paths


def test_every_path_of_the_catalogue_is_covered():
    files = [file.path for vendor in load_catalog().vendors.values() for file in vendor.files]
    paths = found()
    for file in files:
        if file.startswith("~/"):
            full = HOME / file.removeprefix("~/")
            assert any(full.is_relative_to(path) for path in paths), file


def test_what_a_variable_names_is_hidden_and_what_lies_beside_the_notebook():
    assert "/keys/g.json" in found(GOOGLE_APPLICATION_CREDENTIALS="/keys/g.json")
    assert not [path for path in found(GOOGLE_APPLICATION_CREDENTIALS="g.json") if path.endswith("g.json")]
    assert {"/srv/nb/.env", "/srv/nb/qperfect.json", "/srv/nb/dwave.conf"} <= found()
