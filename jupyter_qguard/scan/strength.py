"""Judges a value by itself: random or made of words, placeholder or not, and what known harmless thing it is.

All functions are total and look at the value only; what stands around it is judged elsewhere.
"""

from __future__ import annotations

import html
import itertools
import math
import re
from collections import Counter
from functools import lru_cache

from jupyter_qguard.scan.placeholders import PLACEHOLDERS

_LETTERS = re.compile(r"[A-Za-z]{2,}")
_COMMON_PAIRS = frozenset(
    (
        "ab ac ad ag ai al am an ap ar as at ba be bl ca ce ch co ct cu da de di do ea ec ed ee ef el em en ep er es et "
        "ev ex fi fo ge gi ha he hi ho ia ic id ie ig il im in io ir is it ke la le li ll lo ls ly ma me mi mo mp na nc "
        "nd ne ng ni no ns nt oc od ol om on op or os ot ou ow pa pe pl po pr pu qu ra re ri rm ro rs rt se si so sp ss "
        "st su ta te th ti to tr ts tu ul um un ur us ut va ve vi"
    ).split()
)
"""The 130 commonest letter pairs of the words in public notebooks: 70 % of the pairs there, 19 % of random ones."""
_HEX = re.compile(r"(?:[0-9a-f]+|[0-9A-F]+)\Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")
_BITS = re.compile(r"(?:0[xb])?[01\s_|.\-]+\Z")
_NUMBER = re.compile(r"[\d.,_+\-:eEjTZ/ ]+\Z")
_EMAIL = re.compile(r"[A-Za-z0-9_.+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){0,6}\.[a-z]{2,12}\Z")
_DRIVE = re.compile(r"[A-Za-z]:\\")
_BRACKETED = re.compile(r"[<\[{(].*[>\]})]\Z|[<\[{][^>\]}]*\Z", re.DOTALL)
_EXPRESSION = re.compile(
    r"\$\{?\{?|%[A-Za-z_]+%|%\(|%s\b|\{\w*\}|(?:os\.|config\.|settings\.|self\.|getpass|input\(|env\[|environ|process\.env|"
    r"secrets\.|userdata\.|st\.secrets|ENV\[|ssm:|vault:|arn:aws:secretsmanager|projects/)"
)
_PROMPT_WORDS = frozenset(
    (
        "my your the tu mi our insert enter paste put replace change provide add copy use here some any new "
        "actual real valid invalid set get type fill this that super not no is with it in for and a an to me "
        "from delete remove token tokens key keys secret secrets password passwd pwd pass passphrase crn id "
        "ids value string str api apikey app access auth account client user username name email cloud "
        "quantum service bearer session refresh private public credential credentials instance project hub "
        "group login prod production dev staging local default generated ibm ibmq qiskit ionq iqm dwave aws "
        "azure gcp google braket rigetti xanadu qbraid oqc pasqal quantinuum openai hf huggingface github "
        "gitlab slack superstaq scaleway nvqc mqp leap example dummy fake test testing sample placeholder "
        "secure strong safe redacted removed changeme todo goes mock foo bar baz xyz abc hello world temp tmp none null true "
        "false undefined empty"
    ).split()
)
_TOPICS = frozenset(
    (
        "cloud quantum service session client account user group project hub prod dev staging local ibm ibmq qiskit ionq "
        "iqm dwave aws azure google braket rigetti xanadu qbraid oqc pasqal quantinuum superstaq scaleway leap hello world"
    ).split()
)
"""Of the prompt words, those that say what a thing is for and not that something is to be filled in."""
_FIGURES = re.compile(r"[0-9]{3,6}")
_LONGEST_WORD = max(map(len, _PROMPT_WORDS))
_LONGEST_PROMPT = 96
_FILLER = re.compile(r"x{3,}|y{3,}|z{3,}|[0-9]{1,6}(?![0-9])", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s_\-.:/,'\"<>\[\](){}!?*#@]+")
_CONTAINS_PLACEHOLDER = re.compile(
    r"example|dummy|fake|placeholder|redacted|changeme|todo|goes[ _\-]?here|your[ _\-]|insert[ _\-]|not[ _\-]?real|synthetic",
    re.IGNORECASE,
)
_TRUNCATED = re.compile(r"\.{3}|…|\*{3,}|[xX]{6,}|•{3}")
_REPEATED = re.compile(r"(.{1,16}?)\1{3,}\Z", re.DOTALL)
_CLASSES = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"))
_DIGIT_OR_MIXED = re.compile(r"[0-9]|[a-z][A-Z]|[A-Z]{2}[a-z]")
"""What every random value of some length has, and most words and names have not."""
_SWITCH = re.compile(r"(?<=[a-z])[A-Z]|(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]")
_CAMEL = re.compile(r"[a-z]*(?:[A-Z][a-z]+){2,}[A-Z]?\Z")
_MIXED = 0.32
_FEWEST_PAIRS = 5
_MOST_WORDY = 0.5
_CHANGE = re.compile(r"[a-z][_+/.=\-]?[A-Z0-9]|[A-Z][_+/.=\-]?[0-9]|[0-9][_+/.=\-]?[A-Za-z]")
_WORDY_PIECE = 0.6
_BLOCK = re.compile(r"([a-f0-9]{3,16})\1{2,}\Z")


@lru_cache(maxsize=4096)
def entropy(value: str) -> float:
    """Shannon entropy of the characters, in bits per character; 0 for the empty string."""
    length = len(value)
    return -sum(n / length * math.log2(n / length) for n in Counter(value).values()) if length else 0.0


def is_hex(value: str) -> bool:
    """Whether the value is hexadecimal in one case."""
    return _HEX.match(value) is not None


def is_uuid(value: str) -> bool:
    """Whether the value is a UUID."""
    return _UUID.match(value) is not None


def wordiness(value: str) -> float:
    """Share of neighbouring letters that are common pairs: about 0.7 for words and names, 0.19 for random letters.

    0 where there are too few letters together to tell.
    """
    common = pairs = 0
    for match in _LETTERS.finditer(value):
        run = match.group().lower()
        pairs += len(run) - 1
        common += sum(run[i : i + 2] in _COMMON_PAIRS for i in range(len(run) - 1))
    return common / pairs if pairs >= max(_FEWEST_PAIRS, len(value) / 3) else 0.0


def mixing(value: str) -> float:
    """Share of neighbours of different classes, word beginnings aside: 0.45 for random letters and digits.

    Names in one word (``DuckDuckGo``) have 0.2 at the most.
    """
    return len(_SWITCH.findall(value)) / max(len(value) - 1, 1)


def is_sequence(value: str) -> bool:
    """Whether neighbours mostly follow one another, as in ``abcdefgh`` and ``0123456789``."""
    steps = sum(1 for a, b in itertools.pairwise(value) if ord(b) - ord(a) in (1, 0))
    return len(value) > 3 and steps / (len(value) - 1) > 0.6


def is_random(value: str, *, length: int = 20) -> bool:
    """Whether the value looks drawn at random: long enough, of mixed classes, of high entropy, not made of words."""
    if len(value) < length or _DIGIT_OR_MIXED.search(value) is None:
        return False
    return _is_random(value)


@lru_cache(maxsize=16384)
def _is_random(value: str) -> bool:
    if _NUMBER.match(value) or _BITS.match(value) or is_sequence(value):
        return False
    body = value.rstrip("=")
    if is_hex(body):
        digits = sum(char.isdigit() for char in body)
        return 0 < digits < len(body) and entropy(body) >= (3.0 if len(body) >= 32 else 2.9)
    if _CAMEL.match(body):
        return False
    classes = sum(pattern.search(body) is not None for pattern in _CLASSES)
    floor = min(3.6, math.log2(len(body)) - 1.0)
    return classes >= 2 and entropy(body) >= floor and (mixing(body) > _MIXED or wordiness(body) < _MOST_WORDY)


def is_material(run: str) -> bool:
    """Whether a run may be a piece of a random value: it changes between letters and digits, or from small to capital
    letters, more than once, and is not made of words.

    Of random values of 16 letters and digits one in a hundred does not, of pieces of 8 one in fifteen.
    """
    return len(_CHANGE.findall(run)) > 1 and (mixing(run) > _MIXED or wordiness(run) < _WORDY_PIECE)


def is_placeholder(value: str) -> bool:
    """Whether the value stands in for a secret: documentation's and tests' usual fillers, prompts, expressions."""
    text = value.strip()
    if text[:4] == "&lt;":
        text = html.unescape(text)
    if text in PLACEHOLDERS or _EXPRESSION.match(text) or _BRACKETED.match(text):
        return True
    if _TRUNCATED.search(text) or _REPEATED.match(text) or _BLOCK.match(text) or is_sequence(text):
        return True
    parts = [part for part in _SEPARATORS.split(text) if part]
    if not parts or all(_is_made_of_words(part) for part in parts):
        return True
    if _CONTAINS_PLACEHOLDER.search(text):
        rest = _SEPARATORS.sub("", _CONTAINS_PLACEHOLDER.sub("", text))
        return not is_random(rest, length=16)
    return False


def _is_made_of_words(part: str) -> bool:
    """Whether *part* is prompt words and fillers without a gap. Linear: a value must not be able to stall the scan."""
    if len(part) > _LONGEST_PROMPT:
        return False
    text = part.lower()
    reached = {0}
    for start in range(len(text)):
        if start not in reached:
            continue
        reached |= {
            end
            for end in range(start + 1, min(len(text), start + _LONGEST_WORD) + 1)
            if text[start:end] in _PROMPT_WORDS
        }
        filler = _FILLER.match(text, start)
        if filler:
            reached.add(filler.end())
    return len(text) in reached


def is_about_something(value: str) -> bool:
    """Whether a value of prompt words and figures is what people choose for a password: ``Quantum4171!``."""
    figures = _FIGURES.findall(value)
    rest = [part for part in _SEPARATORS.split(_FIGURES.sub(" ", value)) if part]
    return (
        bool(figures)
        and not any(is_sequence(run) or len(set(run)) == 1 for run in figures)
        and any(char.isupper() for char in value)
        and not value.isupper()
        and all(part.lower() in _TOPICS for part in rest)
    )


def is_harmless(value: str) -> bool:
    """Whether the value is of a kind that is no secret: numbers, bits, dotted versions, paths, addresses, CRNs."""
    if _NUMBER.match(value) or _BITS.match(value):
        return True
    if value.startswith(
        ("crn:", "arn:", "http://", "https://", "ws://", "wss://", "ftp://", "file:", "urn:", "data:", "s3://")
    ):
        return True
    if _EMAIL.match(value) or _DRIVE.match(value):
        return True
    return value.startswith(("/", "./", "../", "~/")) and not is_random(value)
