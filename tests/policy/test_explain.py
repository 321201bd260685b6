from __future__ import annotations

import datetime as dt

from hypothesis import given

from jupyter_qguard.policy.explain import explain_policy, explain_save, notes
from jupyter_qguard.policy.model import STARTER, Mode, Policy, ScanPolicy
from jupyter_qguard.policy.parse import parse_policy

from .strategies import TODAY, paths, policies
from .test_parse import WHOLE

POLICY = parse_policy(WHOLE, "policy.yaml")


def text_of(statements: object) -> str:
    return "\n".join(f"{each.key}: {each.text}" for each in statements)  # type: ignore[attr-defined]


def test_the_starter_is_explained_in_words() -> None:
    text = text_of(explain_policy(STARTER, TODAY))
    assert "scan.source: A secret in the source of a cell refuses the save" in text
    assert "scan.output: A secret in an output is replaced by a mark" in text
    assert "Observed only: connections are decided and recorded" in text


def test_every_entry_is_named_with_its_end() -> None:
    text = text_of(explain_policy(POLICY, dt.date(2027, 1, 1)))
    assert "`index.example.org` on port 443 at any public address with TLS until 2027-06-30" in text
    assert "`*.lab.example`" in text
    assert "without TLS" in text
    assert "`ionq/prod` (ionq, prod) for user ada, group quantum-prod: inspect, read_results, submit" in text
    assert "Findings of `ionq-api-key` under `teaching/*` only warn until 2027-02-01" in text
    assert "The kernelspec `slurm`" in text
    assert "kept for 400 days" in text
    assert "http://proxy.example.org:3128" in text


def test_what_has_ended_or_has_no_owner_is_noted() -> None:
    text = text_of(notes(POLICY, dt.date(2028, 1, 1)))
    assert "egress.allow[0]: `index.example.org` ended on 2027-06-30" in text
    assert "egress.allow[2]: `*.lab.example` has no owner" in text
    assert "access[0]: `ionq/prod` ended" in text
    assert "exceptions[0]: ended" in text
    assert "exceptions[2]: a note" in text
    assert notes(STARTER, TODAY) == []


def test_a_path_shows_only_its_places() -> None:
    notebook = text_of(explain_save(STARTER, "a.ipynb", None, TODAY))
    other = text_of(explain_save(STARTER, "notes.txt", None, TODAY))
    assert "scan.source" in notebook
    assert "scan.text_files" not in notebook
    assert "scan.text_files" in other
    assert "scan.output" not in other


def test_a_kind_of_finding_brings_its_class_and_its_exceptions() -> None:
    assert "`wafer_id` (a wafer of the lab) is restricted" in text_of(explain_save(POLICY, None, "wafer_id", TODAY))
    bent = text_of(explain_save(POLICY, "teaching/a.ipynb", "ionq-api-key", TODAY))
    assert "only warn" in bent
    assert "only warn" not in text_of(explain_save(POLICY, "research/a.ipynb", "ionq-api-key", TODAY))


def test_observing_is_said_first() -> None:
    observing = Policy(scan=ScanPolicy(mode=Mode.OBSERVE))
    assert "Observed only: every file is saved" in explain_policy(observing, TODAY)[0].text


@given(policies, paths)
def test_every_policy_can_be_explained(policy: Policy, path: str | None) -> None:
    assert all(each.key and each.text for each in explain_policy(policy, TODAY))
    assert explain_save(policy, path, "ionq-api-key", TODAY)
