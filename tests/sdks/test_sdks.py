"""Vendors' own clients, unchanged, through a real gateway: they hold a handle, and the stand-in sees the key.

``make sdks`` runs them. Each is installed into an environment of its own below ``build/sdks``, from the index that pip
is set up for: they do not agree with each other on versions, nor with JupyterLab.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import venv

import pytest

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.sandbox.environment import kernel_environment
from tests.gateway.owner import ROOT
from tests.gateway.test_vendors import Scene
from tests.gateway.walk import secret_of
from tests.sdks.clients import CLIENTS

pytestmark = [pytest.mark.e2e, pytest.mark.long]  # installs packages: some minutes the first time
TOKEN = "eyJhbGciOiJub25lIn0.eyJleHAiOjQwMDAwMDAwMDB9.c3ludGhldGlj"
NAMED = [pytest.param(each, id=each.vendor) for each in CLIENTS]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        yield Scene(tmp_path_factory.mktemp("sdks"), stack)


def python_of(client):
    """The interpreter of an environment that has *client* and nothing of ours."""
    folder = ROOT / "build" / "sdks" / client.vendor
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists() or ready.read_text() != client.package:
        venv.create(folder, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", client.package]
        subprocess.run(pip, check=True, timeout=1200)
        ready.write_text(client.package)
    return python


@pytest.mark.parametrize("client", NAMED)
def test_the_client_runs_on_a_handle_and_the_vendor_sees_the_key(scene, client, tmp_path):
    python = python_of(client)
    vendor = load_catalog().vendors[client.vendor]
    for request, answer in client.answers.items():
        body = answer.body.replace(b"TOKEN", TOKEN.encode())
        headers = tuple((name, text.replace("TOKEN", TOKEN)) for name, text in answer.headers)
        scene.vendors.script[request] = type(answer)(answer.status, body, headers)
    before = len(scene.vendors.seen)
    authority = tmp_path / "authority.pem"
    authority.write_text(scene.owner.authority_of(scene.kernel.kernel))
    variables = scene.channel.ask("use", name=f"{client.vendor}/dev")["variables"]
    lone = vendor.brokering.secrets[""]
    mine = [name for name, secret in vendor.brokering.variables.items() if vendor.brokering.secrets[secret] == lone]
    environment = kernel_environment(
        {"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        proxy=f"http://127.0.0.1:{scene.kernel.proxy.getsockname()[1]}",
        ca_bundle=str(authority),
        catalog=load_catalog(),
    )
    environment |= {name: variables[name] for name in mine} | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [python, "-c", client.code],
        env=environment | {"NEXUS_STORE_TOKENS": "false"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert client.printed in done.stdout, done.stderr
    want = client.spelled.replace("KEY", secret_of(lone)).replace("TOKEN", TOKEN)
    seen = scene.vendors.seen[before:]
    assert any(want in each.headers.get(client.header, "") for each in seen), [each.target for each in seen]
    for value in (secret_of(lone), TOKEN):
        assert value not in done.stdout + done.stderr + str(variables)
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or value.encode() not in path.read_bytes(), path
