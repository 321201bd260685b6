"""References: where a value lies, in a few strict forms."""

from __future__ import annotations

import pytest

from jupyter_qguard.secret import FORMS, SecretRef, SecretRefError


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("local://ibm", ("local", "ibm", "")),
        ("local://ibm/prod", ("local", "ibm/prod", "")),
        ("keyring://jupyter-qguard/ibm", ("keyring", "jupyter-qguard/ibm", "")),
        ("openbao://quantum/prod/ibm#api_key", ("openbao", "quantum/prod/ibm", "api_key")),
        ("vault://kv/ibm#token", ("vault", "kv/ibm", "token")),
        ("aws://quantum/ibm#api_key", ("aws", "quantum/ibm", "api_key")),
    ],
)
def test_every_form_of_a_reference_is_known_and_spelled_back(text, parts):
    found = SecretRef.parse(text)
    assert (found.source, found.path, found.field) == parts
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ibm",
        "local://",
        "local:ibm",
        "local://a b",
        "local:///etc/passwd",
        "local://a/../b",
        "local://a\n",
        "keyring://ibm",
        "openbao://quantum#key",
        "openbao://quantum/ibm",
        "aws://ibm",
        "http://example.org",
        "example://a",
    ],
)
def test_anything_else_is_no_reference_and_is_not_repeated(text):
    with pytest.raises(SecretRefError) as caught:
        SecretRef.parse(text)
    assert text not in str(caught.value) or text in FORMS


def test_a_source_of_a_third_party_has_references_once_it_is_known():
    assert SecretRef.parse("example://team/ibm", {"example"}) == SecretRef("example", "team/ibm")
    assert SecretRef.parse("example://team/ibm#key", {"example"}).field == "key"
