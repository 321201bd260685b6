"""Every dependency has its line with a reason in docs/dependencies.md, and no line is about one that is gone."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # which pytest brings

ROOT = Path(__file__).parents[1]
_LINE = re.compile(r"^\| (?P<names>[^|]+) \| (?P<purpose>[^|]+) \| (?P<licence>[^|]+) \|", re.MULTILINE)
_OWN = "jupyter-qguard"
_PACKAGE = "jupyter_qguard"


def normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> dict[str, set[str]]:
    """Group to the packages that pyproject.toml names in it; the group of what is always installed is ``""``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        group: {normal(re.match(r"[\w.-]+", each)[0]) for each in entries} - {_OWN} for group, entries in groups.items()
    }


def told() -> dict[str, set[str]]:
    """Heading of a part of the page to the packages that have a line in it."""
    text = (ROOT / "docs" / "dependencies.md").read_text()
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    found = {}
    for part in parts:
        lines = [
            line
            for line in _LINE.finditer(part)
            if set(line["names"]) - set("- ") and line["names"] not in {"package", "program"}
        ]
        heading = "" if part is parts[0] else part.partition("\n")[0].strip("`")
        found[heading] = {normal(name.strip()) for line in lines for name in line["names"].split(",")}
    return found


def test_the_page_and_the_project_name_the_same():
    page, project = told(), declared()
    assert page.pop("npm, for the tests") == {"@microsoft/sarif-multitool-linux"}
    assert page.pop("Programs") == {"bubblewrap", "dbus", "docker", "gnome-keyring"}
    assert page == project


def test_no_line_is_without_a_purpose_and_a_licence():
    text = (ROOT / "docs" / "dependencies.md").read_text()
    lines = [line for line in _LINE.finditer(text) if set(line["names"]) - set("- ")]
    assert len(lines) > 20
    assert all(line["purpose"].strip() and line["licence"].strip() for line in lines)


def test_the_wheel_imports_nothing_that_it_does_not_declare():
    """Every import of the package is of itself, of the standard library, or of a declared dependency."""
    modules = {"yaml": "pyyaml", "kingfisher-sdk": "kingfisher-secret-scanner"}
    modules |= {
        "botocore": "boto3",
        "requests": "hvac",
        "urllib3": "hvac",
        "ipython": "ipykernel",
    }  # what those are made of
    allowed = declared()[""] | declared()["collaboration"] | declared()["aws"] | declared()["openbao"]
    known = sys.stdlib_module_names | {_PACKAGE}
    used = {(normal(name), path.name) for path in (ROOT / _PACKAGE).rglob("*.py") for name in imported(path) - known}
    assert {(name, path) for name, path in used if modules.get(name, name) not in allowed} == set()


def imported(path: Path) -> set[str]:
    """The top-level modules that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


def test_npm_is_pinned_with_a_digest_and_names_no_registry():
    lock = (ROOT / "tests" / "sarif" / "package-lock.json").read_text()
    assert lock.count('"integrity": "sha512-') == 1
    assert "http" not in lock
