from __future__ import annotations

import pytest

from jupyter_qguard.catalog.loader import read_vendor
from jupyter_qguard.errors import GuardFailureError
from tests.catalog.samples import FIRST, SECOND, acme

BROKEN = [
    ("id: acme\n", "id: acme_two\n", "acme.yaml:1: the id `acme_two` must be the file's name"),
    ("words: [acme,", "words: [Acme,", "acme.yaml:4: the word `Acme` is not in lower case"),
    ("words: [acme,", "words: [acme, acme,", "acme.yaml:4: the word `acme` is not in lower case, or stands twice"),
    ("'api.{region}.acme.example'", "'*.acme.example'", "acme.yaml:38: `*.acme.example` is no host name"),
    ("'api.{region}.acme.example'", "API.acme.example", "acme.yaml:38: `API.acme.example` is no host name"),
    (
        "credential: acme-api-key",
        "credential: acme-other",
        "acme.yaml:40: no rule of this vendor is called `acme-other`",
    ),
    (
        "id: acme-account",
        "id: other-account",
        "acme.yaml:24: rule `other-account`: the id must be `acme-` and what kind",
    ),
    ("id: acme-account", "id: acme-Account", "acme.yaml:24: rule `acme-Account`: the id must be `acme-` and what kind"),
    (
        "    basis: sdk\n",
        "    basis: sdk\n    severity: info\n",
        "acme.yaml:6: rule `acme-api-key`: a secret has no `classification` (it is always restricted)",
    ),
    (
        "    basis: sdk\n",
        "    basis: sdk\n    classification: account_identifier\n",
        "acme.yaml:6: rule `acme-api-key`: a secret has no `classification` (it is always restricted)",
    ),
    (
        "classification: account_identifier",
        "classification: account",
        "acme.yaml:24: rule `acme-account`: what is no secret is `info` and has a `classification`: account_identifier,",
    ),
    (
        "    severity: info\n",
        "    severity: low\n",
        "acme.yaml:24: rule `acme-account`: what is no secret is `info`",
    ),
    (
        "    unique: true\n",
        "",
        "acme.yaml:24: rule `acme-account`: what is no secret goes by a `unique` shape alone",
    ),
    (
        "    unique: true\n",
        "    unique: true\n    variables: [ACME_ACCOUNT]\n",
        "acme.yaml:24: rule `acme-account`: what is no secret goes by a `unique` shape alone",
    ),
    (
        "    shape: '[A-Za-z0-9]{32}'\n",
        "    unique: true\n",
        "acme.yaml:10: rule `acme-api-key`: `unique` needs a `shape`",
    ),
    (
        "position: 0, arguments: [token]}",
        "position: null}",
        "acme.yaml:13: rule `acme-api-key`: `AcmeProvider` must be a dotted name with a position or arguments",
    ),
    (
        "name: AcmeProvider,",
        "name: 'AcmeProvider(',",
        "acme.yaml:13: rule `acme-api-key`: `AcmeProvider(` must be a dotted name",
    ),
    (
        "[ACME_API_KEY]",
        "[acme_api_key]",
        "acme.yaml:14: rule `acme-api-key`: `acme_api_key` is no environment variable's name in capitals",
    ),
    (
        "'[A-Za-z0-9]{32}'",
        "'([A-Za-z0-9]{32})'",
        "acme.yaml:10: rule `acme-api-key`: shape has a capturing group: write `(?:…)` at 0",
    ),
    (
        "    arguments: [api_key]\n",
        "    arguments: [api_key]\n    boundary: 'a]'\n",
        "acme.yaml:12: rule `acme-api-key`: boundary `a]` is not the inside of a character class",
    ),
    (
        "    counterexamples:\n      - 'AcmeProvider(\"your_token\")'\n",
        "",
        "acme.yaml:6: rule `acme-api-key`: a secret needs a counterexample",
    ),
    (
        "'AcmeProvider(\"your_token\")'",
        "'AcmeProvider(\"«your_token»\")'",
        "acme.yaml:23: rule `acme-api-key`: a counterexample has nothing to mark",
    ),
    (
        f"«{FIRST}»",
        FIRST,
        "acme.yaml:18: rule `acme-api-key`: an example marks its one value with « and »",
    ),
    (
        f"«{FIRST}»",
        f"«{FIRST}» «{SECOND}»",
        "acme.yaml:18: rule `acme-api-key`: an example marks its one value with « and »",
    ),
    (
        f"«{FIRST}»",
        f"«{FIRST[1:]}»",
        "acme.yaml:18: rule `acme-api-key`: the shape does not match exactly what stands between « and »",
    ),
    (
        f"«{FIRST}»",
        f"«{FIRST}»x",
        "acme.yaml:18: rule `acme-api-key`: the shape does not match exactly what stands between « and »",
    ),
    (
        'AcmeProvider("«',
        'Provider("«',
        "acme.yaml:18: rule `acme-api-key`: nothing that the rule declares stands beside the value",
    ),
    (
        "# acme: api_key",
        "# amce: api_key",
        "acme.yaml:20: rule `acme-api-key`: nothing that the rule declares stands beside the value",
    ),
    (
        "Authorization: acmeKey «",
        "Authorization: Bearer «",
        "acme.yaml:21: rule `acme-api-key`: nothing that the rule declares stands beside the value",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN, ids=[message.split(": ", 1)[1] for _, _, message in BROKEN])
def test_a_file_that_breaks_a_law_is_refused_with_file_line_and_law(old: str, new: str, message: str) -> None:
    with pytest.raises(GuardFailureError) as caught:
        read_vendor("acme.yaml", acme(old, new))
    assert str(caught.value).startswith(message)


def test_a_secret_with_one_example_is_refused() -> None:
    text = acme().decode()
    start, end = text.index("      - 'ACME_API_KEY"), text.index("    counterexamples")
    with pytest.raises(GuardFailureError, match="acme-api-key`: a secret needs 2 examples, anything else one"):
        read_vendor("acme.yaml", (text[:start] + text[end:]).encode())


def test_a_rule_that_nothing_gives_away_is_refused() -> None:
    text = acme().decode()
    start, end = text.index("    arguments: [api_key]"), text.index("    examples:")
    with pytest.raises(GuardFailureError, match=r"acme\.yaml:6: rule `acme-api-key`: nothing gives it away"):
        read_vendor("acme.yaml", (text[:start] + text[end:]).encode())


def test_a_unique_shape_that_matches_a_counterexample_is_refused() -> None:
    content = acme(
        "    examples:\n      - 'owner is",
        "    counterexamples: ['acme:account:11111111']\n    examples:\n      - 'owner is",
    )
    with pytest.raises(GuardFailureError, match="the shape matches, and is said to be proof by itself"):
        read_vendor("acme.yaml", content)


def test_no_message_repeats_an_example() -> None:
    with pytest.raises(GuardFailureError) as caught:
        read_vendor("acme.yaml", acme(f"«{FIRST}»", f"«{FIRST[1:]}»"))
    assert FIRST[1:] not in str(caught.value)
