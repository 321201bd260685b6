"""When a session is kept, renewed and overwritten; moto's server is the stand-in for STS."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from jupyter_qguard.broker.lease import Held
from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.gateway.sessions import Sessions
from jupyter_qguard.policy.model import Operation
from jupyter_qguard.policy.vaults import AwsVault
from jupyter_qguard.secret import SecretValue
from tests.broker.lent import Lent
from tests.broker.test_session import VENDOR, braket
from tests.vault.moto_server import MotoServer
from tests.vault.ports import free_port

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    server = MotoServer(tmp_path_factory.mktemp("moto"))
    yield AwsVault(endpoint=server.address)
    server.stop()


@pytest.fixture
def lease():
    made = Lent().lease
    keys = {"access_key_id": "AKIATESTTESTTESTTEST", "secret_access_key": "x" * 40}
    made.handles = {name: Held(SecretValue(text), name, name) for name, text in keys.items()}
    made.vendor = VENDOR
    return made


def now():
    return dt.datetime.now(dt.timezone.utc).timestamp()


def of(sessions, lease, vault, *, entry, at):
    return asyncio.run(sessions.of(lease, entry, "ada", vault, at))


def test_it_is_kept_while_it_lasts_and_renewed_in_time(vault, lease):
    sessions, entry = Sessions(), braket(Operation.INSPECT)
    first = of(sessions, lease, vault, entry=entry, at=now())
    assert first.is_new
    assert of(sessions, lease, vault, entry=entry, at=now() + 500) == first.__class__(first.session, is_new=False)
    old = first.session.fields["secret_access_key"]
    later = of(sessions, lease, vault, entry=entry, at=now() + 700)
    assert later.is_new
    assert later.session is not first.session
    with pytest.raises(ValueError, match="wiped"):
        old.reveal()


def test_an_entry_that_permits_less_now_gets_a_new_one(vault, lease):
    sessions = Sessions()
    of(sessions, lease, vault, entry=braket(Operation.INSPECT, Operation.SUBMIT), at=now())
    assert of(sessions, lease, vault, entry=braket(Operation.INSPECT), at=now()).is_new


def test_where_sts_is_away_there_is_none_and_what_is_kept_stays(vault, lease):
    sessions, entry = Sessions(), braket(Operation.INSPECT)
    away = AwsVault(endpoint=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(RequestRefusedError) as caught:
        of(sessions, lease, away, entry=entry, at=now())
    assert caught.value.cause is Cause.NETWORK
    assert of(sessions, lease, vault, entry=entry, at=now()).is_new
    assert not of(sessions, lease, away, entry=entry, at=now()).is_new


def test_what_is_forgotten_is_overwritten(vault, lease):
    sessions = Sessions()
    session = of(sessions, lease, vault, entry=braket(Operation.INSPECT), at=now()).session
    sessions.forget(lease)
    with pytest.raises(ValueError, match="wiped"):
        session.fields["session_token"].reveal()
