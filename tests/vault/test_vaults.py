"""Fetching: what an access entry names is put together, from one version, and handed out only with governance."""

from __future__ import annotations

import datetime as dt

import pytest

from jupyter_qguard.policy.model import Environment
from jupyter_qguard.policy.vaults import VaultsPolicy
from jupyter_qguard.secret import SecretRef, SecretValue
from jupyter_qguard.vault.contract import LABELS, canary
from jupyter_qguard.vault.errors import GovernanceError, SecretMissingError, SourceUnavailableError
from jupyter_qguard.vault.source import StoredSecret
from jupyter_qguard.vault.vaults import Vaults

TODAY = dt.date(2026, 12, 1)


@pytest.fixture
def vaults(tmp_path, monkeypatch):
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    return Vaults(VaultsPolicy(), {}, tmp_path)


def store(vaults, path, field="", labels=LABELS) -> str:
    value = canary()
    vaults.source("local").write(path, field, SecretValue(value), labels)
    return value


def fetch(vaults, environment=Environment.DEV, today=TODAY, **references):
    secrets = {("" if name == "secret" else name): SecretRef.parse(text) for name, text in references.items()}
    found = vaults.fetch(secrets, environment, today)
    return {name: value.reveal() for name, value in found.fields.items()}


def watched(vaults, monkeypatch) -> list[StoredSecret]:
    """What the local source gives from now on."""
    source, seen = vaults.source("local"), []
    read = source.read

    def noted(path):
        seen.append(read(path))
        return seen[-1]

    monkeypatch.setattr(source, "read", noted)
    return seen


def test_a_lone_value_stands_under_the_empty_name(vaults):
    value = store(vaults, "ibm")
    assert fetch(vaults, secret="local://ibm") == {"": value}
    assert fetch(vaults, token="local://ibm") == {"token": value}


def test_named_fields_keep_their_names(vaults):
    first, second = store(vaults, "aws", "access_key_id"), store(vaults, "aws", "secret_access_key")
    both = {"access_key_id": first, "secret_access_key": second}
    assert fetch(vaults, secret="local://aws") == both
    assert fetch(vaults, access_key_id="local://aws", secret_access_key="local://aws") == both
    assert fetch(vaults, access_key_id="local://aws") == {"access_key_id": first}
    with pytest.raises(SecretMissingError, match="no field `token`"):
        fetch(vaults, token="local://aws")


def test_one_place_is_read_once_so_that_its_fields_are_of_one_version(vaults, monkeypatch):
    store(vaults, "aws", "access_key_id")
    store(vaults, "aws", "secret_access_key")
    seen = watched(vaults, monkeypatch)
    fetch(vaults, access_key_id="local://aws", secret_access_key="local://aws")
    assert len(seen) == 1


def test_what_was_read_and_not_asked_for_is_wiped(vaults, monkeypatch):
    store(vaults, "aws", "access_key_id")
    store(vaults, "aws", "secret_access_key")
    seen = watched(vaults, monkeypatch)
    fetch(vaults, access_key_id="local://aws")
    assert seen[0].fields["access_key_id"].reveal()
    with pytest.raises(ValueError, match="wiped"):
        seen[0].fields["secret_access_key"].reveal()
    with pytest.raises(GovernanceError):
        fetch(vaults, environment=Environment.PROD, access_key_id="local://aws")
    with pytest.raises(ValueError, match="wiped"):
        seen[1].fields["access_key_id"].reveal()


@pytest.mark.parametrize("name", sorted(LABELS))
def test_without_a_label_nothing_is_handed_out(vaults, name):
    store(vaults, "ibm", labels={key: text for key, text in LABELS.items() if key != name})
    with pytest.raises(GovernanceError, match=rf"local://ibm is not handed out: `{name}` is missing"):
        fetch(vaults, secret="local://ibm")


def test_another_environment_gets_nothing(vaults):
    store(vaults, "ibm")
    for environment in (Environment.TEST, Environment.PROD):
        with pytest.raises(GovernanceError, match="it is for dev"):
            fetch(vaults, environment, secret="local://ibm")


def test_after_its_last_day_nobody_gets_it(vaults):
    store(vaults, "ibm", labels={**LABELS, "expires": "2026-11-30"})
    assert fetch(vaults, today=dt.date(2026, 11, 30), secret="local://ibm")
    with pytest.raises(GovernanceError, match=r"expired yesterday \(2026-11-30\); ask its owner, quantum-platform"):
        fetch(vaults, secret="local://ibm")


def test_the_earliest_end_of_all_parts_counts(vaults):
    store(vaults, "a", labels={**LABELS, "expires": "2027-06-30"})
    store(vaults, "b", labels={**LABELS, "expires": "2027-01-31"})
    secrets = {"first": SecretRef.parse("local://a"), "second": SecretRef.parse("local://b")}
    found = vaults.fetch(secrets, Environment.DEV, TODAY)
    assert found.expires == dt.date(2027, 1, 31)
    assert [part.reference for part in found.parts] == ["local://a", "local://b"]
    found.wipe()
    with pytest.raises(ValueError, match="wiped"):
        found.fields["first"].reveal()


def test_one_bad_part_is_enough_for_nothing(vaults):
    store(vaults, "a")
    store(vaults, "b", labels={})
    with pytest.raises(GovernanceError, match="local://b"):
        fetch(vaults, first="local://a", second="local://b")


def test_a_source_that_is_not_installed_is_named(vaults):
    with pytest.raises(SourceUnavailableError, match=r"no vault source is called `example`; installed here: .*local"):
        vaults.read(SecretRef.parse("example://a", {"example"}))
