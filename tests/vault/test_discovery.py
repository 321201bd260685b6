"""Sources by their entry points: nobody takes a name of the guard's own, and none is imported before it is used."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from jupyter_qguard.secret import OWN_SOURCES
from jupyter_qguard.vault.discovery import GROUP, find_sources, make_source
from jupyter_qguard.vault.errors import SourceUnavailableError
from jupyter_qguard.vault.source import SourceSettings


def entry(name: str, package: str, value: str = "collections:ChainMap") -> EntryPoint:
    found = EntryPoint(name, value, GROUP)
    vars(found)["dist"] = SimpleNamespace(name=package)
    return found


def test_the_sources_that_come_with_the_guard_are_found():
    assert set(find_sources()) == OWN_SOURCES


@pytest.mark.parametrize("name", sorted(OWN_SOURCES))
def test_nobody_else_may_bring_a_source_of_that_name(name):
    with pytest.raises(SourceUnavailableError, match="evil-package"):
        find_sources([entry(name, "evil-package")])


def test_two_packages_with_one_name_are_refused():
    with pytest.raises(SourceUnavailableError, match="first-package and second-package"):
        find_sources([entry("example", "first-package"), entry("example", "second-package")])


def test_a_source_that_cannot_be_imported_is_told(tmp_path):
    found = find_sources([entry("example", "a-package", "no_such_module:Source")])
    with pytest.raises(
        SourceUnavailableError, match=r"`example` of a-package cannot be imported \(ModuleNotFoundError\)"
    ):
        make_source(SourceSettings("example", tmp_path), found)


def test_no_client_library_is_imported_before_it_is_needed():
    libraries = ("boto3", "botocore", "hvac", "keyring", "pyrage", "requests", "secretstorage")
    code = (
        "import sys, pathlib, jupyter_qguard.vault as v; from jupyter_qguard.policy.vaults import VaultsPolicy\n"
        "vaults = v.Vaults(VaultsPolicy(), {}, pathlib.Path('/nonexistent'))\n"
        f"[vaults.source(name) for name in {sorted(OWN_SOURCES)!r}]\n"
        f"print([name for name in {libraries!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
