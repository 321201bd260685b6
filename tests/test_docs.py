"""The reference pages name everything that a user can write: options, keys, traits, event types, fields."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
import pytest

from jupyter_qguard.audit.event import DATA_OF
from jupyter_qguard.cli import group
from jupyter_qguard.policy.record import PolicyRecord
from jupyter_qguard.server.app import QGuardApp
from jupyter_qguard.server.bodies import OverrideBody, ScanBody

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[1] / "docs"
_STRUCTS = (OverrideBody, ScanBody)


def page(name: str) -> str:
    """The text of a page of the reference."""
    return (DOCS / "reference" / f"{name}.md").read_text("utf-8")


def commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command below *command*, with the name that a user types."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for each in command.list_commands(context):
        found = command.get_command(context, each)
        assert found is not None
        yield from commands(found, f"{name} {each}".strip())


def section(text: str, name: str) -> str:
    """What stands below the heading that begins with *name*."""
    found = re.search(rf"(?ms)^## {name}\b.*?(?=^## |\Z)", text)
    assert found is not None, f"no section {name}"
    return found[0]


def keys(part: Any, records: dict[str, Any]) -> Iterator[str]:
    """Every key that a part of a JSON Schema allows, in the *records* that it refers to as well."""
    if isinstance(part, list):
        for each in part:
            yield from keys(each, records)
    elif isinstance(part, dict):
        if "$ref" in part:
            yield from keys(records[part["$ref"].rsplit("/", 1)[-1]], records)
        for name, each in part.get("properties", {}).items():
            yield name
            yield from keys(each, records)
        for name in ("items", "anyOf", "additionalProperties"):
            yield from keys(part.get(name), records)


COMMANDS = dict(commands(group))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_named(name: str) -> None:
    """In the command's own section of the page of the command line."""
    text = section(page("cli"), name.split(maxsplit=1)[0])
    assert all(word in text for word in name.split())
    options = [option for option in COMMANDS[name].params if isinstance(option, click.Option)]
    assert not [each for option in options for each in option.opts if f"`{each}`" not in text]


def test_every_key_of_a_policy_is_named() -> None:
    """In its own section of the page of the policy."""
    schema = msgspec.json.schema(PolicyRecord)
    records = schema["$defs"]
    parts = records["PolicyRecord"]["properties"]
    text = page("policy")
    assert "`apiVersion: " in text
    for name in parts.keys() - {"apiVersion"}:
        below = section(text, name)
        assert not [key for key in keys(parts[name], records) if f"`{key}`" not in below], name


def test_every_trait_and_field_of_a_request_is_named() -> None:
    """On the page of the server."""
    text = page("server")
    traits = [name for name, trait in QGuardApp.class_own_traits(config=True).items() if trait.this_class is QGuardApp]
    assert traits
    assert not [name for name in traits if f"`{name}`" not in text]
    assert not [field for struct in _STRUCTS for field in struct.__struct_fields__ if f'"{field}"' not in text]


def test_every_audit_event_has_its_fields() -> None:
    """On the page of the audit log, one line a type."""
    lines = {line.split("`")[1]: line for line in page("audit").splitlines() if line.startswith("| `") and "." in line}
    for kind, data in DATA_OF.items():
        missing = [field for field in data.__struct_fields__ if f"`{field}`" not in lines[kind.value]]
        assert not missing, kind.value


def test_every_page_is_in_a_table_of_contents() -> None:
    """Sphinx says so too, but only where it runs."""
    text = (DOCS / "index.md").read_text("utf-8")
    pages = [
        path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.glob("*/*.md") if path.parent.name != "adr"
    ]
    assert not [name for name in pages if name not in text]
