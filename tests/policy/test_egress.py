"""Where a kernel may connect to: the first thing that is asked of every connection."""

from __future__ import annotations

import datetime as dt
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import HostRole
from jupyter_qguard.errors import InputError
from jupyter_qguard.policy.address import address_problem, parse_address
from jupyter_qguard.policy.destination import is_destination, parse_destination
from jupyter_qguard.policy.egress import EgressAction, EgressVerdict, decide_egress, decide_name, ports_of
from jupyter_qguard.policy.host import Host, HostError, normalise_host
from jupyter_qguard.policy.model import STARTER, STRICTEST, Who
from jupyter_qguard.policy.parse import parse_policy

TODAY = dt.date(2027, 1, 15)
POLICY = """\
apiVersion: qguard/v1
egress:
  mode: MODE
  allow:
    - {host: index.example.org, owner: platform, reason: package index, expires: 2027-06-30}
    - {host: "*.lab.example.org", ports: [443, 8443]}
    - {host: old.example.org, expires: 2027-01-14}
    - {host: qpu.lab.example, addresses: [10.20.0.0/24], plain: true, reason: on-prem controller, ports: [80]}
  deny:
    - {host: bad.lab.example.org, reason: shared storage}
access:
  - name: ibm/prod
    vendor: ibm_quantum
    regions: [eu-de]
    secret: local://ibm
    environment: prod
    owner: quantum
    purpose: benchmarks
    expires: 2027-01-31
    who: {users: [ada], groups: [quantum-prod]}
"""
ENFORCED = parse_policy(POLICY.replace("MODE", "enforce"), "p.yaml")
OBSERVED = parse_policy(POLICY.replace("MODE", "observe"), "p.yaml")
ADA = Who(frozenset({"ada"}))


def decide(text: str, port: int = 443, policy=ENFORCED, person: Who | None = ADA, today: dt.date = TODAY):
    return decide_egress(policy, normalise_host(text), port, today=today, person=person)


def test_what_nobody_decided_is_refused():
    assert EgressVerdict().action is EgressAction.REFUSE
    assert EgressAction(0) is EgressAction.REFUSE


@pytest.mark.parametrize(
    ("host", "port", "rule", "line"),
    [
        ("index.example.org", 443, "egress.allow[0]", 5),
        ("INDEX.example.org.", 443, "egress.allow[0]", 5),
        ("a.b.lab.example.org", 8443, "egress.allow[1]", 6),
        ("qpu.lab.example", 80, "egress.allow[3]", 8),
        ("iam.cloud.ibm.com", 443, "access[0]", 12),
        ("eu-de.quantum.cloud.ibm.com", 443, "access[0]", 12),
    ],
)
def test_what_is_listed_is_allowed_and_the_line_is_named(host, port, rule, line):
    verdict = decide(host, port)
    assert (verdict.action, verdict.rule, verdict.where) == (EgressAction.ALLOW, rule, f"p.yaml:{line}")


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("example.org", 443, "not on the allowlist"),
        ("lab.example.org", 443, "not on the allowlist"),
        ("xlab.example.org", 443, "not on the allowlist"),
        ("index.example.org.evil.example", 443, "not on the allowlist"),
        ("index.example.org", 80, "on port 443, not on 80"),
        ("old.example.org", 443, "ended on 2027-01-14"),
        ("bad.lab.example.org", 443, "refused by the policy: shared storage"),
        ("10.20.0.7", 80, "not on the allowlist"),
        ("us-east.quantum.cloud.ibm.com", 443, "not on the allowlist"),
    ],
)
def test_everything_else_is_refused_with_the_reason(host, port, words):
    verdict = decide(host, port)
    assert verdict.action is verdict.would is EgressAction.REFUSE
    assert words in verdict.reason


def test_an_access_entry_brings_hosts_to_its_people_and_until_its_end():
    host = "iam.cloud.ibm.com"
    assert decide(host, person=Who(groups=frozenset({"quantum-prod"}))).action is EgressAction.ALLOW
    assert "made out to others" in decide(host, person=Who(frozenset({"eve"}))).reason
    assert "made out to others" in decide(host, person=None).reason
    assert "ended on 2027-01-31" in decide(host, today=dt.date(2027, 2, 1)).reason


def test_observe_lets_through_and_says_what_enforce_would_do():
    verdict = decide("evil.example", policy=OBSERVED)
    assert (verdict.action, verdict.would) == (EgressAction.ALLOW, EgressAction.REFUSE)
    assert address_problem(IPv4Address("10.0.0.1"), verdict.addresses)


@pytest.mark.parametrize(
    ("host", "action"),
    [
        ("index.example.org", EgressAction.ALLOW),
        ("qpu.lab.example", EgressAction.ALLOW),
        ("a.lab.example.org", EgressAction.ALLOW),
        ("bad.lab.example.org", EgressAction.REFUSE),
        ("old.example.org", EgressAction.REFUSE),
        ("evil.example", EgressAction.REFUSE),
    ],
)
def test_a_name_is_told_where_any_port_of_it_is_allowed(host, action):
    assert decide_name(ENFORCED, normalise_host(host), today=TODAY, person=ADA).action is action
    observed = decide_name(OBSERVED, normalise_host(host), today=TODAY, person=ADA)
    assert (observed.action, observed.would) == (EgressAction.ALLOW, action)


def test_no_entry_brings_a_telemetry_host_or_a_wildcard():
    for vendor in load_catalog().vendors.values():
        text = POLICY.replace("MODE", "enforce").replace("ibm_quantum", vendor.id)
        policy = parse_policy(text, "p.yaml")
        for host in vendor.hosts:
            if host.role is HostRole.TELEMETRY and "{" not in host.host:
                assert decide(host.host, host.port, policy).action is EgressAction.REFUSE
        assert decide("anybody.s3.us-east-1.amazonaws.com", policy=policy).action is EgressAction.REFUSE
        assert decide("anybody.blob.core.windows.net", policy=policy).action is EgressAction.REFUSE


def test_a_setting_cannot_make_another_host_of_a_vendors_pattern():
    text = POLICY.replace("MODE", "enforce").replace("[eu-de]", '["evil.example/", "a.evil", "eu-gb"]')
    policy = parse_policy(text, "p.yaml")
    assert decide("eu-gb.quantum.cloud.ibm.com", policy=policy).action is EgressAction.ALLOW
    assert decide("a.evil.quantum.cloud.ibm.com", policy=policy).action is EgressAction.REFUSE


def test_regions_narrow_whatever_the_settings_say():
    text = POLICY.replace("MODE", "enforce").replace("    secret:", "    settings: {region: us-east}\n    secret:")
    policy = parse_policy(text, "p.yaml")
    assert decide("eu-de.quantum.cloud.ibm.com", policy=policy).action is EgressAction.ALLOW
    assert decide("us-east.quantum.cloud.ibm.com", policy=policy).action is EgressAction.REFUSE


def test_the_listeners_are_the_ports_that_are_named():
    assert ports_of(ENFORCED) == {80, 443, 8443}
    assert ports_of(STRICTEST) == frozenset()


hosts = st.one_of(
    st.from_regex(r"[a-z0-9-]{1,8}(\.[a-z0-9-]{1,8}){0,4}", fullmatch=True),
    st.sampled_from(["index.example.org", "x.lab.example.org", "iam.cloud.ibm.com", "127.0.0.1", "::1"]),
)


@given(hosts, st.integers(1, 65535), st.dates(), st.sampled_from([ENFORCED, OBSERVED, STARTER, STRICTEST]))
def test_every_host_and_port_has_a_verdict_with_a_reason(text, port, today, policy):
    try:
        host = normalise_host(text)
    except HostError:
        host = Host(text)
    verdict = decide_egress(policy, host, port, today=today, person=ADA)
    assert verdict.reason
    assert policy is not STRICTEST or verdict.action is EgressAction.REFUSE
    assert verdict.action >= verdict.would
    if verdict.would is EgressAction.ALLOW:
        assert port in ports_of(policy)
        assert verdict.where


@pytest.mark.parametrize(
    "text",
    "0.0.0.0 10.1.2.3 100.100.100.200 127.0.0.1 127.64.0.1 168.63.129.16 169.254.169.254 172.16.0.1 172.31.255.255 "
    "192.0.0.192 192.168.1.1 198.18.0.1 224.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::7f00:1 "
    "64:ff9b::a00:1 64:ff9b:1::1 100::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1 2001::1 2001:db8::1 "
    "2002:7f00:1:: 3fff::1 4000::1".split(),
)
def test_an_address_that_is_not_public_needs_to_be_named(text):
    address = parse_address(text)
    assert address_problem(address)
    accepted = ENFORCED.egress.allow[3].addresses
    assert (address_problem(address, accepted) == "") is (address in accepted[0])


@pytest.mark.parametrize("text", "1.1.1.1 9.9.9.9 172.32.0.1 100.128.0.1 2606:4700::1111 ::ffff:8.8.8.8".split())
def test_a_public_address_is_accepted_unless_the_entry_names_others(text):
    assert address_problem(parse_address(text)) == ""
    assert "not among" in address_problem(parse_address(text), ENFORCED.egress.allow[3].addresses)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_python_calls_private_is_never_public_here(address):
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        assert address_problem(address)
    mapped = IPv6Address(f"::ffff:{address}") if address.version == 4 else address
    assert address_problem(mapped) == address_problem(address)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("https://iam.cloud.ibm.com/identity?x=1", "iam.cloud.ibm.com", 443),
        ("http://qpu.lab.example", "qpu.lab.example", 80),
        ("wss://u:p@a.example:8443/x", "a.example", 8443),
        ("qpu.lab.example:50051", "qpu.lab.example", 50051),
        ("[::1]:80", "::1", 80),
        ("iam.cloud.ibm.com", "iam.cloud.ibm.com", 443),
    ],
)
def test_a_person_may_write_a_url_a_host_or_a_host_with_a_port(text, host, port):
    assert is_destination(text)
    found = parse_destination(text)
    assert (str(found.host), found.port) == (host, port)


@pytest.mark.parametrize("text", ["vqe.ipynb", "notebooks/a.example", "setup.py", "README", "a b.example"])
def test_a_file_is_no_destination(text):
    assert not is_destination(text)


@pytest.mark.parametrize("text", ["https://", "https://[::1", "a.example:0", "a.example:99999", "https://x:99999/"])
def test_what_names_no_host_is_an_error(text):
    with pytest.raises(InputError):
        parse_destination(text)
