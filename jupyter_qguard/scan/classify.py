"""Labels data that is no credential: what the policy's ``classify`` can raise to something that is acted on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.scan.finding import Classification, Severity
from jupyter_qguard.scan.fragment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jupyter_qguard.scan.buffer import Buffer, Segment

OUTPUTS = frozenset((Kind.STREAM, Kind.DATA, Kind.JSON, Kind.ERROR))
SEVERITY = {
    Classification.PUBLIC: Severity.INFO,
    Classification.INTERNAL: Severity.LOW,
    Classification.CONFIDENTIAL: Severity.MEDIUM,
    Classification.RESTRICTED: Severity.HIGH,
}


@dataclass(frozen=True, slots=True)
class Kindred:
    """A kind of data told by the company of words that only it has."""

    name: str
    classification: Classification
    """Its class where the policy names none."""
    words: re.Pattern[str]
    least: int
    """How many different words must stand in one output."""
    message: str


KINDS = (
    Kindred(
        "calibration_snapshot",
        Classification.CONFIDENTIAL,
        re.compile(r"readout_(?:error|length|assignment)|gate_error|gate_length|prob_meas0_prep1|prob_meas1_prep0|"
                   r"\bT1\b|\bT2\b|last_calibration|calibration_set|anharmonicity|1Q_RB|f1QRB|fRO\b|oneQubitProperties|"
                   r"twoQubitProperties|median_gate"),
        3,
        "Calibration data of a device.",
    ),
    Kindred(
        "backend_properties",
        Classification.INTERNAL,
        re.compile(r"coupling_map|basis_gates|backend_version|quantum_volume|max_experiments|dt_ns|native_?gate_?set|"
                   r"processor_type|clops|connectivityGraph"),
        3,
        "Properties of a device.",
    ),
    Kindred(
        "queue_configuration",
        Classification.INTERNAL,
        re.compile(r"pending_jobs|queue_position|queue_depth|queue_?info|queueDepth|max_shots|job_limit|priority_queue|"
                   r"execution_windows|reservation"),
        2,
        "State or limits of a queue.",
    ),
)  # fmt: skip
_BY_NAME = {kind.name: kind for kind in KINDS}
ACCOUNT = "account_identifier"
_ACCOUNT = re.compile(
    r"crn:v1:[a-z]{2,16}:[a-z]{2,16}:[a-z0-9-]{2,32}:[a-z0-9-]{0,24}:a/[0-9a-f]{32}:[0-9a-f-]{0,36}:[a-z]*:[^\s\"'\\]{0,64}|"
    r"arn:aws[a-z-]*:[a-z0-9-]{2,24}:[a-z0-9-]{0,20}:\d{12}:[^\s\"'\\]{1,200}|"
    r"/subscriptions/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}[^\s\"'\\]{0,200}|"
    r"\b[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9-]{4,28}[a-z0-9]\.iam\.gserviceaccount\.com|"
    r"\bamazon-braket-[a-z]{2}(?:-[a-z]+){1,2}-[0-9]-[0-9]{12}\b|"
    r"\bSCW[A-Z0-9]{17}\b"
)


SPOTTED = {kind.name: kind.words.pattern for kind in KINDS} | {
    ACCOUNT: r"crn:v1:|arn:aws[a-z-]*:[a-z0-9-]{2,24}:[a-z0-9-]{0,20}:[0-9]{12}:|/subscriptions/[0-9a-f]{8}-|"
    r"\.iam\.gserviceaccount\.com|amazon-braket-[a-z]{2}-|SCW[A-Z0-9]{17}"
}
"""What marks the places worth a look, for the one pass over the text."""
LEAST = {kind.name: kind.least for kind in KINDS}
"""How many of these places an output has at the least where there is anything to label; one if it is not said."""


@dataclass(frozen=True, slots=True)
class Label:
    """Classified data at a span of the buffer."""

    name: str
    classification: Classification
    segment: Segment
    start: int
    end: int
    message: str


def labels(
    buffer: Buffer,
    spotted: list[tuple[int, str]],
    classify: Mapping[str, Classification],
    patterns: Mapping[str, re.Pattern[str]],
) -> Iterator[Label]:
    """Labels of a buffer. Kinds of data are told in outputs only and cover the whole output.

    *spotted* says where in the buffer a word of which kind ends.
    """
    seen: set[tuple[str, int]] = set()
    for position, name in spotted:
        segment = buffer.segment(position - 1)
        if segment is None or (name, segment.start) in seen:
            continue
        seen.add((name, segment.start))
        if name == ACCOUNT:
            yield from _matches(buffer, segment, ACCOUNT, _ACCOUNT, classify)
        elif segment.view is None and segment.kind in OUTPUTS and _has(buffer.text, segment, _BY_NAME[name]):
            kind = _BY_NAME[name]
            given = classify.get(name, kind.classification)
            yield Label(name, given, segment, segment.start, segment.end, kind.message)
    for name, pattern in patterns.items():
        for segment in buffer.segments:
            yield from _matches(buffer, segment, name, pattern, classify)


def _matches(
    buffer: Buffer, segment: Segment, name: str, pattern: re.Pattern[str], classify: Mapping[str, Classification]
) -> Iterator[Label]:
    given = classify.get(name, Classification.INTERNAL)
    message = "An identifier of an account." if name == ACCOUNT else "Classified by the policy."
    for match in pattern.finditer(buffer.text, segment.start, segment.end):
        if match.group():
            yield Label(name, given, segment, *match.span(), message)


def _has(text: str, segment: Segment, kind: Kindred) -> bool:
    seen: set[str] = set()
    for match in kind.words.finditer(text, segment.start, segment.end):
        seen.add(match.group())
        if len(seen) >= kind.least:
            return True
    return False
