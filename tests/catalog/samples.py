"""A small valid vendor file, and values to put into it."""

from __future__ import annotations

import random
import string


def alphanumeric(length: int, seed: object) -> str:
    """A synthetic value of mixed letters and digits; the same for the same seed."""
    source = random.Random(f"catalogue {seed}")
    return "".join(source.choices(string.ascii_letters + string.digits, k=length))


def hexadecimal(length: int, seed: object) -> str:
    """A synthetic value of lower-case hexadecimal digits; the same for the same seed."""
    return "".join(random.Random(f"catalogue {seed}").choices("0123456789abcdef", k=length))


FIRST, SECOND = alphanumeric(32, "first"), alphanumeric(32, "second")

ACME = f"""\
id: acme
name: Acme Quantum
summary: A vendor that does not exist.
words: [acme, api.acme.example]
rules:
  - id: acme-api-key
    name: Acme API key
    description: A key.
    basis: sdk
    shape: '[A-Za-z0-9]{{32}}'
    arguments: [api_key]
    calls:
      - {{name: AcmeProvider, position: 0, arguments: [token]}}
    variables: [ACME_API_KEY]
    headers:
      - {{name: Authorization, scheme: acmeKey}}
    examples:
      - 'AcmeProvider("«{FIRST}»")'
      - 'ACME_API_KEY=«{SECOND}»'
      - '# acme: api_key = "«{SECOND}»"'
      - 'Authorization: acmeKey «{SECOND}»'
    counterexamples:
      - 'AcmeProvider("your_token")'
  - id: acme-account
    name: Acme account
    description: An account.
    basis: documented
    severity: info
    secret: false
    classification: account_identifier
    shape: 'acme:account:[0-9]{{8}}'
    unique: true
    examples:
      - 'owner is «acme:account:40183756»'
telemetry:
  opt_out: {{ACME_QUIET: 'true'}}
hosts:
  - {{host: 'api.{{region}}.acme.example', role: api}}
wire:
  - {{form: header, name: Authorization, scheme: acmeKey, credential: acme-api-key}}
"""


def acme(old: str = "", new: str = "") -> bytes:
    """The valid file, with the one place that says *old* saying *new*."""
    assert not old or ACME.count(old) == 1, f"{old!r} does not stand in the file once"
    return (ACME.replace(old, new) if old else ACME).encode()
