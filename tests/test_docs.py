"""The reference pages name everything that a user can write: options, keys, traits, event types, fields."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
import pytest

from jupyter_qguard.audit.event import DATA_OF
from jupyter_qguard.cli import main
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


def keys(schema: Any) -> Iterator[str]:
    """Every key that a JSON Schema allows."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from keys(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from keys(part)


@pytest.mark.parametrize(("name", "command"), list(commands(main.main if hasattr(main, "main") else main)))
def test_every_command_and_option_is_named(name: str, command: click.Command) -> None:
    """On the page of the command line."""
    text = page("cli")
    assert name.split()[-1] in text, name
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    missing = [each for option in options for each in option.opts if f"`{each}`" not in text]
    assert not missing, f"{name}: {missing}"


def test_every_key_of_a_policy_is_named() -> None:
    """On the page of the policy: sections as headings, all else in code."""
    text = page("policy")
    wanted = set(keys(msgspec.json.schema(PolicyRecord)))
    missing = sorted(key for key in wanted if f"`{key}`" not in text and f"## {key}\n" not in text)
    assert not [key for key in missing if f"`{key}:" not in text]


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
    pages = [path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.glob("*/*.md") if path.parent.name != "adr"]
    assert not [name for name in pages if name not in text]
