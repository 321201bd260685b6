from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.catalog import build_catalog, catalog_digest, load_catalog, loader
from jupyter_qguard.catalog.document import Document
from jupyter_qguard.catalog.model import Vendor
from jupyter_qguard.errors import GuardFailureError, QGuardError
from tests.catalog.samples import ACME, acme

CALL_KEYS = "arguments, name, position"
RULE_KEYS = (
    "arguments, basis, boundary, calls, classification, counterexamples, description, examples, headers, id, name, "
    "references, secret, severity, shape, unique, variables"
)
_MAPPINGS = frozenset({"opt_out", "secrets", "variables", "settings", "fields", "returns", "pinned"})
"""Their keys are names of something else, so that none is unknown."""
VENDOR_KEYS = "brokering, environment, files, hosts, id, name, notes, operations, rules, sdks, separable, sources, summary, telemetry, wire, words"


def _problem(content: bytes, name: str = "acme.yaml") -> str:
    with pytest.raises(GuardFailureError) as caught:
        loader.read_vendor(name, content)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("summary: A", "sumary: A", f"acme.yaml:3: unknown key `sumary` at `$`; allowed: {VENDOR_KEYS}"),
        (
            "    basis: sdk\n",
            "    basis: sdk\n    regex: a\n",
            f"acme.yaml:10: unknown key `regex` at `$.rules[0]`; allowed: {RULE_KEYS}",
        ),
        (
            "position: 0, ",
            "index: 0, ",
            f"acme.yaml:13: unknown key `index` at `$.rules[0].calls[0]`; allowed: {CALL_KEYS}",
        ),
        (
            "opt_out: {",
            "optout: {",
            "acme.yaml:36: unknown key `optout` at `$.telemetry`; allowed: hosts, note, opt_out",
        ),
        (
            "role: api}",
            "role: api, tls: true}",
            "acme.yaml:38: unknown key `tls` at `$.hosts[0]`; allowed: host, note, port, protocol, role",
        ),
        ("summary: A vendor that does not exist.\n", "", "acme.yaml:1: Object missing required field `summary` at `$`"),
        ("    description: A key.\n", "", "acme.yaml:6: Object missing required field `description` at `$.rules[0]`"),
        ("basis: sdk", "basis: guess", "acme.yaml:9: Invalid enum value 'guess' at `$.rules[0].basis`"),
        ("severity: info", "severity: minor", "acme.yaml:28: Invalid enum value 'minor' at `$.rules[1].severity`"),
        ("unique: true", "unique: 'true'", "acme.yaml:32: Expected `bool`, got `str` at `$.rules[1].unique`"),
        (
            "position: 0",
            "position: '0'",
            "acme.yaml:13: Expected `int | null`, got `str` at `$.rules[0].calls[0].position`",
        ),
        ("words: [acme, api.acme.example]", "words: acme", "acme.yaml:4: Expected `array`, got `str` at `$.words`"),
        (
            "ACME_QUIET: 'true'",
            "ACME_QUIET: 1",
            "acme.yaml:36: Expected `str`, got `int` at `$.telemetry.opt_out[...]`",
        ),
        ("role: api}", "role: apis}", "acme.yaml:38: Invalid enum value 'apis' at `$.hosts[0].role`"),
        ("name: Acme Quantum\n", "name: Acme Quantum\nname: Acme\n", "acme.yaml:3: the key `name` stands twice"),
    ],
)
def test_a_file_of_another_form_is_refused_with_file_line_and_key(old: str, new: str, message: str) -> None:
    assert _problem(acme(old, new)) == message


def test_a_list_is_no_vendor() -> None:
    assert _problem(b"- id: acme\n") == "acme.yaml:1: Expected `object`, got `array` at `$`"


def _records(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of the mappings below a value, but for the one whose keys are free."""
    if isinstance(value, list):
        return [found for number, item in enumerate(value) for found in _records(item, (*path, number))]
    if not isinstance(value, dict) or (path[-1:] and path[-1] in _MAPPINGS):
        return []
    return [path, *(found for key, item in value.items() for found in _records(item, (*path, key)))]


@given(st.data())
def test_an_unknown_key_is_refused_wherever_it_stands(data: st.DataObject) -> None:
    name, content = data.draw(st.sampled_from(loader._vendor_files()))
    vendor = Document(name, content).data
    path = data.draw(st.sampled_from(_records(vendor)))
    record = vendor
    for step in path:
        record = record[step]
    record["surplus"] = data.draw(st.sampled_from([1, "x", [], {}]))
    message = _problem(json.dumps(vendor).encode(), name)
    assert message.startswith(f"{name}:")
    assert "unknown key `surplus`" in message
    assert "; allowed: " in message


@given(st.data())
def test_a_damaged_file_loads_or_is_refused_and_nothing_else(data: st.DataObject) -> None:
    content = bytearray(acme())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content) - 1))
        end = data.draw(st.integers(start, min(len(content), start + 12)))
        content[start:end] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"\n", b": ", b"[", b"'", b"\xc2\xab", b"- "])
        )
    try:
        loader.read_vendor("acme.yaml", bytes(content))
    except GuardFailureError as error:
        assert str(error).startswith("acme.yaml")  # noqa: PT017  # either outcome is right


def test_two_files_for_one_vendor_are_refused() -> None:
    with pytest.raises(GuardFailureError, match="a second file for the vendor `acme`"):
        build_catalog([("acme.yaml", acme()), ("acme.yaml", acme())])


def test_a_rule_id_is_taken_once() -> None:
    # A vendor called acme_api may name a rule acme-api-key, and so may one called acme.
    other = ACME.replace("id: acme\n", "id: acme_api\n").replace("acme-account", "acme-api-account")
    with pytest.raises(
        GuardFailureError, match=r"acme_api\.yaml: the rule id `acme-api-key` is taken by the vendor `acme`"
    ):
        build_catalog([("acme.yaml", acme()), ("acme_api.yaml", other.encode())])


def test_an_empty_catalogue_is_refused() -> None:
    with pytest.raises(GuardFailureError, match="the package is not installed whole"):
        build_catalog([])


def test_the_catalogue_is_read_once_and_cannot_be_changed() -> None:
    catalog = load_catalog()
    assert load_catalog() is catalog
    vendors: Any = catalog.vendors
    with pytest.raises(TypeError):
        vendors["acme"] = None
    with pytest.raises(dataclasses.FrozenInstanceError):
        catalog.vendors = {}  # type: ignore[misc]
    with pytest.raises(AttributeError):
        catalog.vendors["ionq"].name = ""  # type: ignore[misc]


def test_every_rule_leads_to_its_vendor() -> None:
    catalog = load_catalog()
    assert [rule.id for vendor in catalog.vendors.values() for rule in vendor.rules] == list(catalog.rules)
    assert all(rule in vendor.rules and rule.id == rule_id for rule_id, (vendor, rule) in catalog.rules.items())


def test_a_record_survives_being_written_and_read() -> None:
    vendor = load_catalog().vendors["dwave"]
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(vendor)), Vendor) == vendor


def test_a_missing_folder_is_the_guards_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    loader._vendor_files.cache_clear()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(loader, "__file__", "/nowhere/loader.py")
            with pytest.raises(QGuardError, match="the vendor catalogue cannot be read"):
                loader._vendor_files()
    finally:
        loader._vendor_files.cache_clear()


def test_the_digest_is_the_same_in_another_process() -> None:
    code = "from jupyter_qguard.catalog import catalog_digest; print(catalog_digest())"
    environ = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    assert done.stdout.strip() == catalog_digest()


@pytest.mark.parametrize(
    "files",
    [
        (("acme.yaml", acme("A key.", "A kez.")),),
        (("acmf.yaml", acme()),),
        (("acme.yaml", acme()), ("b.yaml", b"")),
        (("acme.yaml", acme() + b"\0"),),
    ],
)
def test_the_digest_tells_any_change(files: tuple[tuple[str, bytes], ...], monkeypatch: pytest.MonkeyPatch) -> None:
    digests = []
    for given_files in ((("acme.yaml", acme()),), files):
        monkeypatch.setattr(loader, "_vendor_files", lambda given_files=given_files: given_files)
        digests.append(catalog_digest.__wrapped__())
    assert digests[0] != digests[1]
