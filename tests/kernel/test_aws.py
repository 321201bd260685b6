"""Short-lived keys of AWS in a real guarded kernel: an unmodified boto3, moto's server as STS (a stand-in: it hands out
sessions and limits none), and a stand-in for Braket under its real name.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.broker.lent import value
from tests.gateway.test_brokered import access
from tests.gateway.vendors import Vendors, as_json
from tests.users import NOBODY, ordinary
from tests.vault.moto_server import MotoServer

pytestmark = pytest.mark.e2e
HERE = Path(__file__).parent
BRAKET = "braket.us-east-1.amazonaws.com"
KEY_ID, SECRET = "AKIA" + value(31, 16).upper().replace("8", "2").replace("9", "3"), value(32, 40)
ROLE = "arn:aws:iam::123456789012:role/braket"
ADD = "--owner tests --purpose tests --environment dev --expires 2099-01-31".split()
DEVICE = {"deviceArn": "arn:aws:braket:::device/quantum-simulator/amazon/sv1", "deviceName": "SV1",
          "deviceStatus": "ONLINE", "deviceType": "SIMULATOR", "providerName": "Amazon Braket"}  # fmt: skip
LOOK = """
import boto3
def look():
    keys = boto3.Session().get_credentials()
    found = boto3.client('braket').search_devices(filters=[])['devices'][0]['deviceName']
    return keys.method, keys.get_frozen_credentials().access_key, found
print(*look())
"""
CELLS = {
    "use": "%qguard use braket/dev",
    "look": LOOK,
    "again": "print(*look())",
    "child": f"import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', {LOOK!r}], capture_output=True, text=True))",
    "all of it": "import os\nprint(dict(os.environ)); print(boto3.Session().get_credentials().__dict__)",
    "without the token": (
        "import urllib.request, urllib.error\n"
        "try: urllib.request.urlopen(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'])\n"
        "except urllib.error.HTTPError as error: print(error.code, error.read())"
    ),
    "status": "%qguard status",
    "another entry": (
        "from jupyter_qguard.kernel.channel import the_channel\n"
        "for name in ('ionq/dev', 'braket/none'):\n"
        "    try: print(the_channel().ask('session', name=name))\n"
        "    except Exception as error: print(error)"
    ),
    "no role": "%qguard use braket/no-role",
    "release": "address = os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'], os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']\n"
    "%qguard release braket/dev\nprint([name for name in os.environ if name.startswith('AWS_CONTAINER')])",
    "after": (
        "request = urllib.request.Request(address[0], headers={'Authorization': address[1]})\n"
        "try: print(urllib.request.urlopen(request).read())\n"
        "except urllib.error.HTTPError as error: print(error.code, error.read())"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What each cell said, what reached Braket, and where it all was."""
    folder = tmp_path_factory.mktemp("aws")
    python, environment, options = ordinary(folder)
    (folder / "workspace").mkdir()
    vendors, moto = Vendors(folder, (BRAKET,)), MotoServer(folder)
    vendors.script["POST /devices"] = as_json({"devices": [DEVICE]})
    shared = {"secret": "local://aws", "regions": ["us-east-1"], "operations": ["inspect"]}
    policy = {
        "apiVersion": "qguard/v1",
        "egress": {"mode": "enforce", "upstream_proxy": vendors.proxy, "ca_bundle": str(vendors.certificate)},
        "vaults": {"aws": {"endpoint": moto.address}},
        "access": [
            access("braket/dev", "amazon_braket", **shared, settings={"role": ROLE}),
            access("braket/no-role", "amazon_braket", **shared),
            access("ionq/dev", "ionq"),
        ],
    }
    (folder / "policy.yaml").write_text(json.dumps(policy))
    if options:
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    environment["QGUARD_POLICY"] = str(folder / "policy.yaml")

    def run(*command, given):
        done = subprocess.run(
            [python, *command], input=given, env=environment, cwd="/", capture_output=True, text=True, timeout=300,
            check=False, **options,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:].replace(SECRET, "SECRET")
        return done.stdout

    try:
        for field, held in (("access_key_id", KEY_ID), ("secret_access_key", SECRET)):
            run("-m", "jupyter_qguard.cli", "vault", "add", "local://aws", "--field", field, *ADD, given=held)
        lines = run(str(HERE / "aws_run.py"), str(folder), given=json.dumps(CELLS))
    finally:
        vendors.close()
        moto.stop()
    said = {each["step"]: each["out"] for each in map(json.loads, lines.splitlines())}
    return said, vendors.seen, folder


def records(folder, kind):
    trail = folder / "home/.local/state/jupyter-qguard/audit"
    lines = [line for path in sorted(trail.glob("audit-*.jsonl")) for line in path.read_text().splitlines()]
    return [each["data"] for each in map(json.loads, lines) if each["type"] == kind]


def test_an_unmodified_client_works_and_so_does_one_in_a_child(ran):
    said, seen, _ = ran
    assert "custody      short-lived" in said["use"]
    method, key, device = said["look"].split()
    assert (method, key[:4], device) == ("container-role", "ASIA", "SV1")
    assert said["again"].split() == [method, key, device], "one session while it lasts"
    assert f"container-role {key} SV1" in said["child"]
    signed = [each.headers["authorization"] for each in seen]
    assert len(signed) == 3
    assert all(f"Credential={key}/" in each for each in signed)
    assert all(each.headers["x-amz-security-token"] for each in seen)


def test_the_long_lived_key_is_nowhere_in_the_kernel_or_in_a_file(ran):
    said, seen, folder = ran
    for held in (KEY_ID, SECRET):
        assert held not in json.dumps(said)
        assert held not in str(seen)
        for path in folder.rglob("*"):
            assert not path.is_file() or path.name == "moto.log" or held.encode() not in path.read_bytes(), path
    assert "ASIA" in said["all of it"]


def test_what_a_cell_prints_of_a_session_is_found_before_it_is_saved(ran):
    said, _, folder = ran
    printed = folder / "printed.txt"
    printed.write_text(said["all of it"])
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_qguard.cli", "redact", str(printed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ASIA" in said["all of it"]
    assert "ASIA" not in done.stdout
    (token,) = set(re.findall(r"'_token': '([^']+)'", said["all of it"]))
    (key,) = set(re.findall(r"'_secret_key': '([^']+)'", said["all of it"]))
    assert token not in done.stdout
    assert key not in done.stdout


def test_keys_are_for_clients_of_this_kernel_and_for_such_leases(ran):
    said, _, _ = ran
    assert said["without the token"].startswith("403")
    assert said["another entry"].count("no short-lived keys of") + said["another entry"].count("no access entry") == 2
    assert "needs the role" in said["no role"]


def test_after_release_there_are_no_keys_any_more(ran):
    said, _, _ = ran
    assert "[]" in said["release"]
    assert said["after"].startswith("403")


def test_status_and_trail_say_what_the_custody_is_and_until_when(ran):
    said, _, folder = ran
    assert "braket/dev (short_lived)" in said["status"]
    (granted,) = records(folder, "lease.granted")
    assert (granted["access"], granted["custody"], granted["vendor"]) == ("braket/dev", "short_lived", "amazon_braket")
    (revoked,) = records(folder, "lease.revoked")
    assert (revoked["lease"], revoked["reason"]) == (granted["lease"], "released")
