from __future__ import annotations

import json
from importlib import resources

import pytest
import yaml
from jsonschema import Draft202012Validator

from jupyter_qguard.policy.schema import policy_schema, schema_text

from .test_parse import HEAD, WHOLE


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(policy_schema())
    return Draft202012Validator(policy_schema())


def accepts(validator: Draft202012Validator, text: str) -> bool:
    data = json.loads(json.dumps(yaml.safe_load(text), default=str))
    return bool(validator.is_valid(data))


def test_the_committed_schema_is_the_one_of_the_parser() -> None:
    committed = resources.files("jupyter_qguard.policy").joinpath("schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "write the output of `qguard policy schema` to jupyter_qguard/policy/schema.json"


@pytest.mark.parametrize("text", [HEAD, WHOLE])
def test_what_the_parser_takes_the_schema_takes(validator: Draft202012Validator, text: str) -> None:
    assert accepts(validator, text)


@pytest.mark.parametrize(
    "text",
    [
        "scan: {}",
        "apiVersion: qguard/v2",
        HEAD + "skan: {}",
        HEAD + "scan: {source: allow}",
        HEAD + "scan: {sourse: block}",
        HEAD + "egress:",
        HEAD + "egress: {allow: [{host: a.example, ports: [0]}]}",
        HEAD + "egress: {allow: [{host: a.example, owner: }]}",
        HEAD + "access: [{name: a}]",
        HEAD + "audit: {retention: long}",
        HEAD + "classify: {wafer: {class: none}}",
    ],
)
def test_what_the_parser_refuses_for_its_structure_the_schema_refuses(
    validator: Draft202012Validator, text: str
) -> None:
    assert not accepts(validator, text)


def test_every_key_is_closed_and_explained() -> None:
    schema = policy_schema()
    for record in (schema, *schema["$defs"].values()):
        if record.get("type") == "object":
            assert record["additionalProperties"] is False
            assert record["description"]
