"""A brokered key does not leave the guard: more than a hundred tries in one real kernel, judged by a witness outside.

The witness reads every message of every channel, every file that the run left, what reached any host, and the memory of
the kernel's processes. That all of it can fail is shown by the same run with the guard taken out.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from tests.broker.lent import value
from tests.gateway.test_brokered import access
from tests.gateway.vendors import Vendors, as_json
from tests.leaks.echoes import HOW, Echo
from tests.leaks.probes import all_probes
from tests.leaks.witness import Witness
from tests.users import NOBODY, ordinary

pytestmark = pytest.mark.e2e
HERE = Path(__file__).parent
IONQ_KEY, IBM_KEY = value(21, 32), value(22)
TOKEN = f"eyJraWQiOiI{value(23)}.{value(24)}.{value(25)}"
HOSTS = ("api.ionq.co", "iam.cloud.ibm.com", "quantum.cloud.ibm.com", "files.example.org")
ADD = "--owner tests --purpose tests --environment dev --expires 2099-01-31".split()
REFUSED_WHOLE = {"gzip", "deflate", "unknown-coding"}


def tried(folder, *words):
    """Run everything; where it is, what the stand-in said, and what was told."""
    python, environment, options = ordinary(folder)
    (folder / "workspace").mkdir()
    vendors, echo = Vendors(folder, HOSTS), Echo(IONQ_KEY)
    vendors.script |= {
        "GET /v0.4/backends": echo,
        "POST /identity/token": as_json({"access_token": TOKEN, "refresh_token": TOKEN, "expires_in": 3600}),
        "GET /api/v1/backends": lambda seen: as_json({"you": seen.headers["authorization"]}),
    }
    policy = {
        "apiVersion": "qguard/v1",
        "egress": {"mode": "enforce", "upstream_proxy": vendors.proxy, "ca_bundle": str(vendors.certificate)},
        "access": [access("ionq/dev", "ionq"), access("ibm/dev", "ibm_quantum")],
    }
    (folder / "policy.yaml").write_text(yaml.safe_dump(policy))
    if options:
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    environment |= {"QGUARD_POLICY": str(folder / "policy.yaml")}

    def run(*command, given=""):
        done = subprocess.run(
            [python, *command], input=given, env=environment, cwd="/", capture_output=True, text=True, timeout=300,
            check=False, **options,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:].replace(IONQ_KEY, "KEY").replace(IBM_KEY, "KEY")
        return done.stdout + done.stderr

    try:
        for vendor, key in (("ionq", IONQ_KEY), ("ibm_quantum", IBM_KEY)):
            run("-m", "jupyter_qguard.cli", "vault", "add", f"local://{vendor}", *ADD, given=key)
        printed = run(str(HERE / "run.py"), str(folder), *words)
    finally:
        vendors.close()
    told = json.loads((folder / "told.json").read_text())
    return SimpleNamespace(folder=folder, vendors=vendors, echo=echo, printed=printed, **told)


def messages(ran):
    """Probe to the lines of all that was sent while it ran."""
    found = {}
    with (ran.folder / "messages.jsonl").open(encoding="utf-8") as file:
        for line in file:
            found.setdefault(json.loads(line)["probe"], []).append(line)
    return found


def texts(lines):
    """What a reader sees: the texts of one kind behind each other, as a page shows them; and every message as it is."""
    streams, whole = {}, []
    for line in lines:
        message = json.loads(line)["message"]
        whole.append(line)
        if message["msg_type"] == "stream":
            name = message["content"]["name"]
            streams[name] = streams.get(name, "") + message["content"]["text"]
    return "\n".join([*streams.values(), *whole]).encode()


def leaking(ran, witness):
    """The probes that showed something."""
    return {name for name, lines in messages(ran).items() if witness.sees(texts(lines))}


@pytest.fixture(scope="module")
def witness():
    return Witness(IONQ_KEY, IBM_KEY, *TOKEN.split("."))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    return tried(tmp_path_factory.mktemp("leaks"))


def test_every_try_ran_in_a_confined_kernel_and_the_vendor_saw_the_key(ran):
    assert ran.tier == "netns"
    found, probes = messages(ran), all_probes()
    assert len({probe.name for probe in probes}) == len(probes) >= 100
    assert {probe.name for probe in probes} <= found.keys()
    assert ran.echo.given == set(HOW), "the stand-in answered with the key in each way"
    sent = [seen.headers.get("authorization") for seen in ran.vendors.seen]
    assert f"apiKey {IONQ_KEY}" in sent
    assert f"Bearer {TOKEN}" in sent
    assert any(IBM_KEY.encode() in seen.body for seen in ran.vendors.seen if seen.host == "iam.cloud.ibm.com")


def test_no_message_holds_a_value(ran, witness):
    assert leaking(ran, witness) == set()


def test_no_file_holds_a_value(ran, witness):
    looked = 0
    for path in ran.folder.rglob("*"):
        if path.is_file() and path.name not in ("memory.bin", "messages.jsonl"):
            assert not witness.sees_in_memory(path.read_bytes()), path
            assert not witness.sees(str(path).encode())
            looked += 1
    assert looked > 20
    assert not witness.sees(ran.printed.encode())


def test_the_memory_of_the_kernel_holds_no_value(ran, witness):
    assert ran.dumped > 20_000_000, ran.problem
    assert not witness.sees_in_memory((ran.folder / "memory.bin").read_bytes())


def test_keys_went_to_their_vendor_and_nowhere_else(ran, witness):
    for seen in ran.vendors.seen:
        assert seen.host != "files.example.org"
        assert not witness.sees(seen.target.encode())
        assert not witness.sees(seen.body) or seen.host == "iam.cloud.ibm.com"


def test_no_private_key_is_shown(ran):
    text = (ran.folder / "messages.jsonl").read_text()
    assert "PRIVATE KEY-----\\n" not in text
    assert "True)" not in "".join(messages(ran)["machine: certificate authority"])


@pytest.mark.long
def test_with_the_guard_taken_out_the_witness_sees_it(tmp_path, witness):
    ran = tried(tmp_path, "without")
    expected = {probe.name for probe in all_probes() if probe.shows}
    assert expected - leaking(ran, witness) == set()
    assert len(expected) >= 100
    assert witness.sees_in_memory((ran.folder / "memory.bin").read_bytes())
    found = [path for path in (ran.folder / "workspace").rglob("*") if path.is_file()]
    assert [path for path in found if witness.sees_in_memory(path.read_bytes())]
