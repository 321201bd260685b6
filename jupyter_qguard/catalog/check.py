"""The laws of a vendor's record that its types cannot say; a record that breaks one does not load."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from jupyter_qguard.catalog.model import Custody, WireForm
from jupyter_qguard.catalog.shape import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.catalog.model import Rule, Vendor

CLASSIFIED = frozenset(("calibration_snapshot", "backend_properties", "queue_configuration", "account_identifier"))
"""What a rule that is no secret may be classified as: the built-in names of the policy's ``classify``."""
_VENDOR_ID = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_RULE_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_WORD = re.compile(r"[a-z0-9](?:[a-z0-9_./:@ -]*[a-z0-9])?")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*[A-Z0-9]")
_HOST = re.compile(r"(?:[a-z0-9-]|\{[a-z_]+\})+(?:\.(?:[a-z0-9-]|\{[a-z_]+\})+)+")
_MARKED = re.compile("([^«»]*)«([^«»]+)»([^«»]*)")
_CARRIED = frozenset((WireForm.HEADER, WireForm.COOKIE, WireForm.BASIC, WireForm.GRPC_METADATA))
_MIN_EXAMPLES = 2
"""Of a secret: one context can be matched by accident of the sentence around it, two kinds of it cannot."""


class Problem(NamedTuple):
    """A broken law, and the path of what breaks it."""

    path: str
    text: str


def problems(vendor: Vendor, stem: str) -> Iterator[Problem]:
    """What is wrong with *vendor*, read from the file named *stem*; nothing if it may be used."""
    if vendor.id != stem or not _VENDOR_ID.fullmatch(vendor.id):
        yield Problem("$.id", f"the id `{vendor.id}` must be the file's name, in lower case with underscores")
    for number, word in enumerate(vendor.words):
        if not _WORD.fullmatch(word) or word in vendor.words[:number]:
            yield Problem(f"$.words[{number}]", f"the word `{word}` is not in lower case, or stands twice")
    for number, host in enumerate(vendor.hosts):
        if not _HOST.fullmatch(host.host):
            yield Problem(f"$.hosts[{number}]", f"`{host.host}` is no host name; what varies is written {{so}}")
    rule_ids = {rule.id for rule in vendor.rules}
    for number, wire in enumerate(vendor.wire):
        if wire.credential and wire.credential not in rule_ids:
            yield Problem(f"$.wire[{number}].credential", f"no rule of this vendor is called `{wire.credential}`")
    yield from _operation_problems(vendor)
    yield from _brokering_problems(vendor, rule_ids)
    yield from _custody_problems(vendor)
    for number, rule in enumerate(vendor.rules):
        for problem in _rule_problems(rule, vendor):
            yield Problem(f"$.rules[{number}]{problem.path}", f"rule `{rule.id}`: {problem.text}")


def _brokering_problems(vendor: Vendor, rule_ids: set[str]) -> Iterator[Problem]:
    brokering = vendor.brokering
    named = [("$.brokering.secrets", rule_id) for rule_id in brokering.secrets.values()]
    for number, exchange in enumerate(brokering.exchanges):
        path = f"$.brokering.exchanges[{number}]"
        named += [(f"{path}.fields", rule_id) for rule_id in exchange.fields.values()]
        named += [(f"{path}.returns", rule_id) for rule_id in exchange.returns.values()]
        named += [(f"{path}.cookies", rule_id) for rule_id in exchange.cookies.values()]
        if not any(each.path == exchange.path and each.method == "POST" for each in vendor.operations):
            yield Problem(path, f"no POST among the operations has the path `{exchange.path}`")
        if not exchange.returns and not exchange.cookies:
            yield Problem(path, "the answer to an exchange holds a token: it needs `returns` or `cookies`")
    for path, rule_id in named:
        if rule_id not in rule_ids:
            yield Problem(path, f"no rule of this vendor is called `{rule_id}`")
    for variable, name in brokering.variables.items():
        if name not in brokering.secrets:
            yield Problem(
                "$.brokering.variables", f"`{variable}` stands for the secret `{name}`, which there is none of"
            )
        if not _VARIABLE.fullmatch(variable):
            yield Problem("$.brokering.variables", f"`{variable}` is no environment variable's name in capitals")
    for variable in brokering.templates:
        if variable not in brokering.variables:
            yield Problem("$.brokering.templates", f"`{variable}` is none of the `variables`")


def _operation_problems(vendor: Vendor) -> Iterator[Problem]:
    places = {host.host for host in vendor.hosts} | {host.role.value for host in vendor.hosts}
    for number, operation in enumerate(vendor.operations):
        if operation.at and operation.at not in places:
            yield Problem(f"$.operations[{number}].at", f"`{operation.at}` is neither a host of this vendor nor a role")
        if operation.open and operation.method != "GET":
            yield Problem(f"$.operations[{number}].open", "without a credential nothing but a GET goes out")


def _custody_problems(vendor: Vendor) -> Iterator[Problem]:
    """Of what is said to be brokered: each secret has a place on the wire, and each token that comes of it too."""
    brokering = vendor.brokering
    if brokering.custody is not Custody.BROKERED:
        return
    if not brokering.secrets:
        yield Problem("$.brokering.secrets", "what is brokered needs to know which secret stands for which rule")
    carried = {wire.credential for wire in vendor.wire if wire.swapped and wire.form in _CARRIED}
    placed = carried.union(*(exchange.fields.values() for exchange in brokering.exchanges))
    for name, rule_id in brokering.secrets.items():
        if rule_id not in placed:
            yield Problem("$.brokering.secrets", f"no header, cookie or exchange takes the secret `{name}`")
    for number, exchange in enumerate(brokering.exchanges):
        for rule_id in (*exchange.returns.values(), *exchange.cookies.values()):
            if rule_id not in placed:
                yield Problem(f"$.brokering.exchanges[{number}]", f"no header, cookie or exchange takes `{rule_id}`")


def _rule_problems(rule: Rule, vendor: Vendor) -> Iterator[Problem]:
    prefix = vendor.id.replace("_", "-") + "-"
    if not _RULE_ID.fullmatch(rule.id) or not rule.id.startswith(prefix):
        yield Problem(".id", f"the id must be `{prefix}` and what kind of credential it is, in kebab case")
    yield from _kind_problems(rule)
    yield from _name_problems(rule)
    if rule.shape is not None:
        try:
            bounded(rule.shape, rule.boundary)
        except ValueError as error:
            yield Problem(".boundary" if str(error).startswith("boundary") else ".shape", str(error))
            return
    yield from _example_problems(rule, vendor)


def _kind_problems(rule: Rule) -> Iterator[Problem]:
    if rule.secret and (rule.classification or rule.severity == "info"):
        yield Problem("", "a secret has no `classification` (it is always restricted) and is more than `info`")
    if not rule.secret and (rule.classification not in CLASSIFIED or rule.severity != "info"):
        yield Problem("", f"what is no secret is `info` and has a `classification`: {_listed(CLASSIFIED)}")
    if rule.unique and rule.shape is None:
        yield Problem(".unique", "`unique` needs a `shape`")
    named = bool(rule.arguments or rule.calls or rule.variables or rule.headers)
    if not rule.secret and (named or not rule.unique):
        yield Problem("", "what is no secret goes by a `unique` shape alone: names would make credentials of it")
    if not (rule.unique or named):
        yield Problem("", "nothing gives it away: it needs `unique`, `arguments`, `calls`, `variables` or `headers`")


def _name_problems(rule: Rule) -> Iterator[Problem]:
    for number, call in enumerate(rule.calls):
        if not _DOTTED.fullmatch(call.name) or (call.position is None and not call.arguments):
            yield Problem(f".calls[{number}]", f"`{call.name}` must be a dotted name with a position or arguments")
    for number, variable in enumerate(rule.variables):
        if not _VARIABLE.fullmatch(variable):
            yield Problem(f".variables[{number}]", f"`{variable}` is no environment variable's name in capitals")


def _example_problems(rule: Rule, vendor: Vendor) -> Iterator[Problem]:
    if len(rule.examples) < (_MIN_EXAMPLES if rule.secret else 1):
        yield Problem(".examples", f"a secret needs {_MIN_EXAMPLES} examples, anything else one")
    if rule.secret and not rule.counterexamples:
        yield Problem(".counterexamples", "a secret needs a counterexample: a placeholder or a harmless look-alike")
    for number, example in enumerate(rule.examples):
        text = _example_problem(rule, vendor, example)
        if text:
            yield Problem(f".examples[{number}]", text)
    for number, counterexample in enumerate(rule.counterexamples):
        text = _counterexample_problem(rule, counterexample)
        if text:
            yield Problem(f".counterexamples[{number}]", text)


def _example_problem(rule: Rule, vendor: Vendor, example: str) -> str:
    marked = _MARKED.fullmatch(example)
    if not marked:
        return "an example marks its one value with « and »"
    before, value, after = marked.groups()
    if rule.shape is not None:
        found = bounded(rule.shape, rule.boundary).search(before + value + after, len(before))
        if found is None or found.span() != (len(before), len(before) + len(value)):
            return "the shape does not match exactly what stands between « and »"
    if rule.unique or _is_given_away(rule, vendor, before + after):
        return ""
    return "nothing that the rule declares stands beside the value"


def _counterexample_problem(rule: Rule, text: str) -> str:
    if "«" in text or "»" in text:
        return "a counterexample has nothing to mark"
    if rule.unique and rule.shape is not None and bounded(rule.shape, rule.boundary).search(text):
        return "the shape matches, and is said to be proof by itself"
    return ""


def _is_given_away(rule: Rule, vendor: Vendor, context: str) -> bool:
    """Whether *context*, an example without its value, holds a name that *rule* goes by.

    How names bind to values is the scanner's business, which runs the same examples through the real engine.
    """
    names = (*rule.variables, *(f"{call.name}(" for call in rule.calls))
    lowered = context.lower()
    headers = (f"{header.name}: {header.scheme}".lower().split(":") for header in rule.headers)
    return (
        any(name in context for name in names)
        or any(all(part.strip() in lowered for part in header) for header in headers)
        or (any(name in context for name in rule.arguments) and any(word in lowered for word in vendor.words))
    )


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
