"""What may be done about connections that were refused."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import HostRole
from jupyter_qguard.policy.egress import EgressAction, decide_egress
from jupyter_qguard.policy.host import HostError, normalise_host
from jupyter_qguard.policy.parse import parse_policy
from jupyter_qguard.policy.suggest import Advice, Refusal, entries, suggest

TODAY = dt.date(2027, 1, 15)
UNTIL = dt.date(2027, 4, 1)
HEAD = "apiVersion: qguard/v1\n"
POLICY = parse_policy(
    HEAD + "egress: {allow: [{host: index.example.org}], deny: [{host: '*.bad.example.org', reason: away}]}\n", "p.yaml"
)


def advice(host: str, port: int = 443) -> Advice | None:
    found = suggest(POLICY, [Refusal(host, port, 1, "2027-01-14T09:00:00Z")], TODAY)
    return found[0].advice if found else None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("data.example.org", Advice.ALLOW),
        ("index.example.org", None),
        ("x.bad.example.org", Advice.NOTHING),
        ("169.254.169.254", Advice.NOTHING),
        ("127.0.0.1", Advice.NOTHING),
        ("fd00:ec2::254", Advice.NOTHING),
        ("metadata", Advice.NOTHING),
        ("not a host", Advice.NOTHING),
        ("", Advice.NOTHING),
        ("quantum.cloud.ibm.com", Advice.ACCESS),
    ],
)
def test_only_hosts_that_may_be_allowed_by_name_are_suggested(host, expected):
    assert advice(host) is expected


def test_a_port_that_an_entry_does_not_name_is_suggested_with_it():
    (found,) = suggest(POLICY, [Refusal("index.example.org", 8443, 2, "t")], TODAY)
    assert "ports: [8443]" in entries([found], UNTIL)


def test_no_telemetry_host_of_the_catalogue_is_suggested():
    hosts = [host for vendor in load_catalog().vendors.values() for host in vendor.telemetry.hosts]
    hosts += [
        host.host
        for vendor in load_catalog().vendors.values()
        for host in vendor.hosts
        if host.role is HostRole.TELEMETRY
    ]
    plain = [host for host in hosts if "{" not in host and "*" not in host and "/" not in host]
    assert plain
    assert {advice(host) for host in plain} == {Advice.NOTHING}


def test_hosts_that_vary_by_region_are_their_vendors():
    (found,) = suggest(POLICY, [Refusal("braket.eu-west-2.amazonaws.com", 443, 1, "t")], TODAY)
    assert (found.advice, found.vendor) == (Advice.ACCESS, "amazon_braket")


def test_the_most_frequent_comes_first():
    found = suggest(POLICY, [Refusal("a.example.org", 443, 1, "t"), Refusal("b.example.org", 443, 9, "t")], TODAY)
    assert [each.refusal.host for each in found] == ["b.example.org", "a.example.org"]


@given(st.lists(st.tuples(st.text(max_size=30), st.integers(0, 65535), st.text(max_size=20)), max_size=6))
def test_whatever_a_kernel_asked_for_the_entries_are_a_policy_that_allows_only_what_was_suggested(asked):
    hosts = ["data.example.org", *(host for host, _, _ in asked)]
    refusals = [Refusal(host, port or 1, 1, "t", (notebook,)) for host, port, notebook in asked]
    found = suggest(POLICY, [Refusal("data.example.org", 443, 1, "t"), *refusals], TODAY)
    policy = parse_policy(HEAD + entries(found, UNTIL), "suggested.yaml")
    wanted = {(each.refusal.host, each.refusal.port) for each in found if each.advice is Advice.ALLOW}
    assert len(policy.egress.allow) == len(wanted)
    for host in hosts:
        try:
            verdict = decide_egress(policy, normalise_host(host), 443, today=TODAY)
        except HostError:
            continue
        assert (verdict.action is EgressAction.ALLOW) == any(
            port == 443 and normalise_host(name) == normalise_host(host) for name, port in wanted
        )
