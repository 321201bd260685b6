from __future__ import annotations

import datetime as dt
import json
import pickle
import re
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.errors import PolicyError
from jupyter_qguard.policy import build
from jupyter_qguard.policy.document import InvalidPolicyError
from jupyter_qguard.policy.host import normalise_host
from jupyter_qguard.policy.model import (
    STARTER,
    Action,
    Environment,
    ExceptionKind,
    Mode,
    Operation,
    Quota,
    QuotaPeriod,
    ScanPolicy,
    Tier,
)
from jupyter_qguard.policy.parse import parse_policy, parse_tightening
from jupyter_qguard.scan.finding import Classification
from jupyter_qguard.secret import SecretRef

HEAD = "apiVersion: qguard/v1\n"
WHOLE = """\
apiVersion: qguard/v1
scan: {mode: observe, source: warn, output: block, metadata: warn, text_files: redact}
classify:
  calibration_snapshot: confidential
  wafer_id: {class: restricted, patterns: ['W[0-9]{6}', 'wafer-[a-z]{4}'], description: a wafer of the lab}
egress:
  mode: enforce
  minimum_tier: netns
  allow:
    - {host: Index.Example.org., owner: platform, reason: package index, expires: 2027-06-30}
    - {host: 10.20.0.5, ports: [443, 8443], addresses: [10.20.0.0/24], owner: lab, reason: controller}
    - {host: "*.lab.example", plain: true, reason: old instruments}
  deny:
    - {host: tracker.example.org}
  upstream_proxy: http://proxy.example.org:3128
  ca_bundle: /etc/ssl/lab.pem
access:
  - name: ionq/prod
    vendor: ionq
    regions: [us-east]
    secret: "openbao://quantum/prod/ionq#api_key"
    settings: {url: "https://api.example.org"}
    environment: prod
    owner: quantum-platform
    purpose: production benchmarks
    expires: 2027-01-31
    who: {groups: [quantum-prod], users: [ada]}
    operations: [inspect, submit, read_results]
    quota: {submit: 50/day}
exceptions:
  - what: rule:ionq-api-key in teaching/*
    owner: lab
    reason: a course
    compensating_control: keys of the simulator
    expires: 2027-02-01
  - {what: kernelspec:slurm, owner: hpc, reason: cluster, compensating_control: firewall, expires: 2027-02-01}
  - {what: the old controller has no TLS, owner: lab, reason: r, compensating_control: c, expires: 2027-02-01}
audit: {path: /var/log/qguard/audit, retention: 400d}
"""


def problems(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "policy.yaml")
    return str(caught.value)


def test_every_part_of_the_grammar_becomes_a_value() -> None:
    policy = parse_policy(WHOLE, "policy.yaml")
    assert policy.scan == ScanPolicy(Mode.OBSERVE, Action.WARN, Action.BLOCK, Action.WARN, Action.REDACT)
    assert policy.classify == {
        "calibration_snapshot": Classification.CONFIDENTIAL,
        "wafer_id": Classification.RESTRICTED,
    }
    assert re.search(policy.patterns["wafer_id"], "see W123456")
    assert policy.descriptions == {"wafer_id": "a wafer of the lab"}
    index, controller, lab = policy.egress.allow
    assert index.host.matches(normalise_host("index.example.org"))
    assert (index.ports, index.expires) == ((443,), dt.date(2027, 6, 30))
    assert [str(network) for network in controller.addresses] == ["10.20.0.0/24"]
    assert lab.plain
    assert lab.host.below
    assert (policy.egress.mode, policy.egress.minimum_tier) == (Mode.ENFORCE, Tier.NETNS)
    assert str(policy.egress.deny[0].host) == "tracker.example.org"
    assert (policy.egress.upstream_proxy, policy.egress.ca_bundle) == (
        "http://proxy.example.org:3128",
        "/etc/ssl/lab.pem",
    )
    (entry,) = policy.access
    assert entry.secrets == {"": SecretRef("openbao", "quantum/prod/ionq", "api_key")}
    assert (entry.environment, entry.expires) == (Environment.PROD, dt.date(2027, 1, 31))
    assert (entry.who.users, entry.who.groups) == ({"ada"}, {"quantum-prod"})
    assert entry.quota == {Operation.SUBMIT: Quota(50, QuotaPeriod.DAY)}
    kinds = [(each.kind, each.target, each.paths) for each in policy.exceptions]
    assert kinds[0] == (ExceptionKind.RULE, "ionq-api-key", "teaching/*")
    assert kinds[1] == (ExceptionKind.KERNELSPEC, "slurm", None)
    assert kinds[2][0] is ExceptionKind.NOTE
    assert (policy.audit.path, policy.audit.retention_days) == ("/var/log/qguard/audit", 400)


def test_a_policy_travels_to_a_worker_process() -> None:
    policy = parse_policy(WHOLE, "policy.yaml")
    assert pickle.loads(pickle.dumps(policy)) == policy  # noqa: TID251 (our own bytes)


def test_the_smallest_policy_is_the_starter() -> None:
    assert parse_policy(HEAD, "policy.yaml") == STARTER


def test_a_named_egress_section_is_enforced_unless_it_says_otherwise() -> None:
    assert parse_policy(HEAD + "egress: {}\n", "policy.yaml").egress.mode is Mode.ENFORCE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scan: {source: block}", "missing: `apiVersion`"),
        ("apiVersion: qguard/v2", "allowed: qguard/v1"),
        (HEAD + "skan: {}", "policy.yaml:2: unknown key `skan` at the top of the file; allowed: apiVersion, scan,"),
        (HEAD + "skan: {}", "did you mean `scan`?"),
        (
            HEAD + "scan:\n  output: redact\n  sourse: block",
            "policy.yaml:4: scan: unknown key `sourse` in `scan`; allowed: mode, source, output, metadata, text_files;",
        ),
        (
            HEAD + "scan: {source: allow}",
            "policy.yaml:2: scan.source: `allow` is not one of the values; allowed: block,",
        ),
        (HEAD + "scan: {source: 3}", "allowed: block, redact, warn"),
        (HEAD + "scan: block", "keys are expected here: mode, source"),
        (HEAD + "scan:", "policy.yaml:2: scan: there is no value"),
        (
            HEAD + "classify: {nonsense: internal}",
            "known: account_identifier, backend_properties, calibration_snapshot",
        ),
        (HEAD + "classify: {calibration_snapshot: secret}", "allowed: confidential, internal, public, restricted"),
        (HEAD + "classify: {x: {patterns: [abcd]}}", "classify.x: missing: `class`"),
        (HEAD + "classify: {wafer-id: {class: internal, patterns: [abcd]}}", "lower-case letters"),
        (HEAD + "classify: {x: {class: internal, patterns: ['(a']}}", "classify.x.patterns: the group at 0"),
        (HEAD + "egress: {allow: [{host: '*'}]}", "egress.allow[0].host: `*` cannot be used as a host"),
        (HEAD + "egress: {allow: {host: a.example}}", "a list is expected here"),
        (HEAD + "egress: {allow: [{host: 10.0.0.1}]}", "`{host: 10.0.0.1, addresses: [10.0.0.1/32]}`"),
        (HEAD + "egress: {allow: [{host: 10.0.0.1, addresses: [10.1.0.0/16]}]}", "an IP address needs `addresses`"),
        (HEAD + "egress: {allow: [{host: a.example, addresses: [10.0.0.1/8]}]}", "`10.0.0.0/8`"),
        (HEAD + "egress: {allow: [{host: a.example, addresses: [lab]}]}", "not an address or network"),
        (HEAD + "egress: {allow: [{host: a.example, ports: [0]}]}", "from 1 to 65535"),
        (HEAD + "egress: {allow: [{host: a.example, ports: ['443']}]}", "a whole number is expected"),
        (HEAD + "egress: {allow: [{host: a.example, ports: []}]}", "at least one entry"),
        (HEAD + "egress: {allow: [{host: a.example, plain: true}]}", "say why in `reason`"),
        (HEAD + "egress: {allow: [{host: a.example, plain: 1}]}", "true or false is expected"),
        (HEAD + "egress: {allow: [{host: a.example, expires: soon}]}", "a date is expected here, as 2027-01-31"),
        (HEAD + "egress: {allow: [{host: a.example, expires: 2027-02-30}]}", "there is no such day"),
        (HEAD + "egress: {ca_bundle: lab.pem}", "absolute path"),
        (HEAD + "egress: {upstream_proxy: proxy}", "http://proxy.example.org:3128"),
        (HEAD + "egress: {upstream_proxy: 'http://p:99999'}", "not a URL"),
        (HEAD + "access: [{name: a}]", "missing: `vendor`, `environment`, `owner`, `purpose`, `expires`"),
        (HEAD + "access: [{name: 'a b'}]", "must match"),
        (HEAD + "exceptions: [{what: x}]", "missing: `owner`, `reason`, `compensating_control`, `expires`"),
        (HEAD + "audit: {path: audit}", "absolute path"),
        (HEAD + "audit: {retention: forever}", "must match"),
        (HEAD + "audit: {retention: 400}", "put it in quotes"),
        (HEAD + 'audit: {path: "/a\\nb"}', "line break"),
        ("- a", "keys are expected here"),
    ],
)
def test_what_is_wrong_is_told_with_line_key_and_what_is_allowed(text: str, expected: str) -> None:
    assert expected in problems(text)


ENTRY = """\
access:
  - name: a
    vendor: ionq
    environment: dev
    owner: o
    purpose: p
    expires: 2027-01-31
"""


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("", "give either `secret: REFERENCE`"),
        ("    secret: local://x\n    secrets: {f: local://y}\n", "give either `secret: REFERENCE`"),
        ("    secrets: {f: ftp://y}\n", "access[0].secrets.f: not a secret reference"),
        ("    secret: openbao://only-a-mount#x\n", "not a secret reference"),
        ("    secret: local://../x\n", "not a secret reference"),
        ("    secret: local://x\n    quota: {submit: 5/day}\n", "access[0].quota.submit: the entry does not permit"),
        ("    secret: local://x\n    quota: {inspect: 5/year}\n", "must match"),
        ("    secret: local://x\n    operations: [mint]\n", "allowed: inspect, submit, read_results, manage"),
        ("    secret: local://x\n    operations: []\n", "at least one entry"),
    ],
)
def test_a_contradictory_access_entry_is_refused(extra: str, expected: str) -> None:
    assert expected in problems(HEAD + ENTRY + extra)


def test_an_unknown_vendor_comes_with_the_known_ones() -> None:
    text = problems(HEAD + ENTRY.replace("ionq", "ion") + "    secret: local://x\n")
    assert "not in the catalogue" in text
    assert "ionq" in text


def test_two_entries_of_one_name_are_refused() -> None:
    entry = ENTRY + "    secret: local://x\n"
    assert "access[1].name: taken by access[0]" in problems(HEAD + entry + entry.partition("\n")[2])


@pytest.mark.parametrize("what", ["rule:", "host:a.example", "kernelspec:a in b"])
def test_an_exception_that_names_no_known_thing_is_refused(what: str) -> None:
    bend = f"exceptions: [{{what: '{what}', owner: o, reason: r, compensating_control: c, expires: 2027-01-01}}]"
    assert "exceptions[0].what" in problems(HEAD + bend)


def test_a_classify_name_cannot_disarm_the_rule_of_a_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    class OneRule:
        rules = ("jwt",)

    monkeypatch.setattr(build, "load_catalog", OneRule)
    assert "credentials are always restricted" in problems(HEAD + "classify: {jwt: {class: public, patterns: [abcd]}}")


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    text = problems(HEAD + "scan: {source: x}\naudit: {when: 1}\nother: 1\n")
    assert [line.split(":")[1] for line in text.splitlines()] == ["2", "3", "4"]


def test_a_flood_of_problems_is_cut() -> None:
    text = problems(HEAD + "".join(f"k{n}: 1\n" for n in range(500)))
    assert len(text.splitlines()) == 21
    assert "480 more" in text


@pytest.mark.parametrize(
    "template",
    [
        "access: [{{name: a, vendor: ionq, environment: dev, owner: o, purpose: p, expires: 2027-01-01, secret: {}}}]",
        "access: [{{name: a, vendor: ionq, environment: dev, owner: o, expires: 2027-01-01, secrets: {{k: {}}}}}]",
        "scan: {{source: {}}}",
        "egress: {{upstream_proxy: 'http://user:{}@proxy.example'}}",
        "audit: {{path: {}}}",
        "classify: {{calibration_snapshot: {}}}",
    ],
)
def test_a_secret_pasted_into_a_policy_is_not_repeated(template: str) -> None:
    value = secrets.token_urlsafe(24)
    assert value not in problems(HEAD + template.format(value))


yaml_text = st.text(alphabet=st.sampled_from("ab:{}[]-,\n '\"&*!|>#%@`?1.é\t"), max_size=60)


@given(st.one_of(yaml_text, yaml_text.map(lambda text: HEAD + text)))
def test_parsing_is_total(text: str) -> None:
    try:
        parse_policy(text, "policy.yaml")
    except InvalidPolicyError as error:
        assert str(error).startswith("policy.yaml")  # noqa: PT017 (both outcomes are right)


keys = st.sampled_from(["scan", "source", "egress", "allow", "host", "classify", "apiVersion", "x", "access", "audit"])
values = st.recursive(
    st.one_of(st.sampled_from(["block", "qguard/v1", "a.example", "internal", ""]), st.integers(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(keys, values))
def test_any_structure_is_accepted_or_refused_in_words(data: object) -> None:
    try:
        parse_policy(json.dumps(data), "policy.yaml")
    except InvalidPolicyError as error:
        assert error.problems  # noqa: PT017


FLOOR = parse_policy(HEAD + "scan: {source: redact, output: redact}\negress: {allow: [{host: a.example}]}", "floor")


def test_beside_a_floor_a_user_may_be_stricter() -> None:
    text = HEAD + "scan: {output: block}\negress: {deny: [{host: b.example}]}"
    policy = parse_tightening(text, "mine.yaml", FLOOR)
    assert (policy.scan.source, policy.scan.output) == (Action.REDACT, Action.BLOCK)
    assert policy.egress.allow == FLOOR.egress.allow
    assert str(policy.egress.deny[0].host) == "b.example"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scan: {source: warn}", "the administrator's policy says `redact`"),
        ("scan: {mode: observe}", "the administrator's policy says `enforce`"),
        ("classify: {}", "classify: an administrator's policy is in force"),
        ("exceptions: []", "exceptions: an administrator's policy is in force"),
        ("egress: {allow: []}", "egress.allow: an administrator's policy is in force"),
        ("egress: {mode: enforce}", "egress.mode: an administrator's policy is in force"),
        ("audit: {}", "audit: an administrator's policy is in force"),
        ("egress: {deny: [{host: '*'}]}", "cannot be used as a host"),
    ],
)
def test_beside_a_floor_anything_else_is_an_error(text: str, expected: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_tightening(HEAD + text, "mine.yaml", FLOOR)
    assert expected in str(caught.value)
