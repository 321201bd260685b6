"""Judges a name: does what is bound to it hold a credential?

Names are taken apart into words (``IBM_CLOUD_API_KEY``, ``hubToken``, ``x-auth-token``); the last words decide.
"""

from __future__ import annotations

import enum
import re
from functools import lru_cache

from jupyter_qguard.catalog import vendor_ids


class Role(enum.IntEnum):
    """What a name says of the value bound to it."""

    NONE = 0
    WEAK = 1
    """``token``, ``auth``: often harmless, so the value must look random."""
    STRONG = 2
    """``api_key``, ``client_secret``: the name alone says credential."""
    PASSWORD = 3
    """What people choose: need not look random."""


_WORDS = re.compile(r"(?:API|SDK|AWS|IBMQ?|QE|HUB|SAS|JWT|IAM)(?=[a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_TRAILING = frozenset(
    (
        "value val str string text raw plain b64 base64 prod production dev development test testing staging stage env "
        "var old new current default hex encoded real my main live variable here now also below above stdin"
    ).split()
)
_NOT_AFTER = frozenset(
    (
        "id ids type types count len length limit size url uri endpoint path paths file files filename name names index "
        "position positions mask embedding embeddings embed class classes expiry expires expiration ttl age prefix "
        "suffix format pattern hash regex column error errors required valid list manager provider scope scopes arn "
        "version classification classifier level ratio num number budget usage window dim map dict set tokens logits "
        "probs prob score scores label labels span spans offset offsets pos seq sequence vocab bucket region location "
        "generator factory service client store parser stream iterator processor field method func function alias "
        "policy rotation object module params param parameter parameters settings"
    ).split()
)
_NOT_BEFORE_TOKEN = frozenset(
    (
        "pad eos bos sep cls unk mask special max min num next prev per stop start end image word sub page continuation "
        "first last padding decoder boundary input output new added predicted prompt forced separator begin beginning "
        "total single each every this that previous resume delimiter marker pagination cancellation csrf xsrf erc nft"
    ).split()
)
_KEY_OF = frozenset(
    (
        "api access secret auth account private signing encryption shared license sdk hub subscription master admin "
        "client cloud consumer storage sas app application bot encrypt decrypt session user developer dev project "
        "service security deploy personal write rest integration apiaccess ocp functions maps"
    ).split()
)
_SERVICES = frozenset(
    "ibmq leap aws gcp qiskit braket openai anthropic wandb hf comet neptune pinecone cohere groq mistral gemini tavily "
    "langsmith langchain forge nexus resonance nvqc mqp".split()
)
_NO_SERVICE = frozenset("quantum cloud machines rings inspire amazon google origin alice bob tii".split())
"""Words of vendor ids that mean something else before ``key``: quantum key distribution is full of Alice's keys."""
_STRONG_WORDS = frozenset(
    (
        "apikey apitoken accesskey secretkey authtoken accesstoken refreshtoken privatekey clientsecret secret sastoken "
        "credential credentials authkey accountkey sharedkey bearertoken sessiontoken masterkey jwt pat authorization "
        "connectionstring sdkkey consumersecret accesskeyid secretaccesskey idtoken usertoken hubtoken webhook"
    ).split()
)
_PLURALS = frozenset(("tokens", "keys", "passwords", "secrets"))
_PASSWORD_WORDS = frozenset("password passwd pwd passphrase passcode pass psw pword".split())
_SUFFIXES = (
    ("password", Role.PASSWORD),
    ("passwd", Role.PASSWORD),
    ("apikey", Role.STRONG),
    ("secretkey", Role.STRONG),
    ("apitoken", Role.STRONG),
    ("authtoken", Role.STRONG),
)
"""Ends of names that are written as one word: ``PGPASSWORD``."""
_STRONG_TOKEN_OF = frozenset(
    "api access auth authentication refresh bearer session id sas hub user security oauth personal sdk jwt".split()
)


@lru_cache(maxsize=1)
def _services() -> frozenset[str]:
    """Words that make ``…_key`` a credential: names of services, the catalogue's vendors among them."""
    vendors = {word for vendor in vendor_ids() for word in vendor.split("_")}
    return _SERVICES | (vendors - _NO_SERVICE)


def words_before_key() -> frozenset[str]:
    """Words that make what is called ``…_key`` a credential."""
    return _KEY_OF | _services()


@lru_cache(maxsize=8192)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of a name."""
    return tuple(match.lower() for match in _WORDS.findall(name[-96:]))


@lru_cache(maxsize=8192)
def role(name: str) -> Role:  # noqa: PLR0911 - a table of cases reads best as one
    """The role of a name, by its last words. Total; unknown names are ``NONE``."""
    parts = list(words(name))
    if parts[-1:] == ["credential"] and parts[-3:-1] in (["x", "amz"], ["x", "goog"]):
        return Role.NONE  # the public half of a signature: key id, date, region
    while parts and (parts[-1] in _TRAILING or parts[-1].isdigit()):
        parts.pop()
    if not parts:
        return Role.NONE
    before = parts[-2] if len(parts) > 1 else ""
    last = _singular(parts[-1], before)
    if last in _NOT_AFTER:
        return _role_of_id(parts)
    if last in _PASSWORD_WORDS and not (last == "pass" and before in ("", "by", "first", "second", "forward", "one")):
        return Role.PASSWORD
    if last in _STRONG_WORDS:
        return Role.STRONG
    if last == "key":
        return Role.STRONG if before in _KEY_OF or before in _services() else Role.NONE
    if last == "token":
        if before in _NOT_BEFORE_TOKEN:
            return Role.NONE
        return Role.STRONG if before in _STRONG_TOKEN_OF else Role.WEAK
    if last in ("auth", "bearer", "oat", "signature", "sig"):
        return Role.WEAK
    if last == "string" and before == "connection":
        return Role.STRONG
    return next((meaning for suffix, meaning in _SUFFIXES if last.endswith(suffix)), Role.NONE)


def _singular(last: str, before: str) -> str:
    """``token`` for the tokens of a service; without such a word before them they are a language model's."""
    return last[:-1] if last in _PLURALS and (before in _STRONG_TOKEN_OF | _KEY_OF or before in _services()) else last


def _role_of_id(parts: list[str]) -> Role:
    """AWS' key id is a credential's public half, yet reported: it names the account and is half of the pair."""
    if parts[-3:] == ["access", "key", "id"]:
        return Role.WEAK
    return Role.NONE
