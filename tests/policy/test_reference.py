from __future__ import annotations

import pytest

from jupyter_qguard.policy.reference import is_reference


@pytest.mark.parametrize(
    "text",
    [
        "local://ibm",
        "local://ibm/prod",
        "keyring://jupyter-qguard/ibm",
        "openbao://quantum/prod/ibm#api_key",
        "vault://kv/ibm#token",
        "aws://quantum/ibm#api_key",
    ],
)
def test_every_form_is_known(text: str) -> None:
    assert is_reference(text)


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
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_reference(text)
