"""The harmless of the quantum field that looks like a key: left alone, by itself and near the words of keys."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable
from random import Random

import pytest

from jupyter_qguard.scan import Scanner, ScanSettings
from jupyter_qguard.secret import check_characters
from tests.scan.test_scanner import data, notebook, stream

HEX = "0123456789abcdef"
LOWER = string.ascii_lowercase + string.digits
LETTERS = string.ascii_letters + string.digits
BASE64 = LETTERS + "+/"
SEEDS = range(3)


def some(draw: Random, alphabet: str, length: int) -> str:
    return "".join(draw.choices(alphabet, k=length))


def uuid(draw: Random) -> str:
    text = some(draw, HEX, 12) + "4" + some(draw, HEX, 3) + draw.choice("89ab") + some(draw, HEX, 15)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def encoded(draw: Random, head: bytes, length: int) -> str:
    return base64.b64encode(head + draw.randbytes(length)).decode()


def blob(draw: Random, kind: str) -> str:
    """A public key in the wire format of OpenSSH."""
    name = kind.encode()
    return encoded(draw, len(name).to_bytes(4, "big") + name + (32).to_bytes(4, "big"), 32)


def pem(draw: Random, title: str, lines: int = 12) -> str:
    body = "\n".join(["MII" + some(draw, BASE64, 61), *(some(draw, BASE64, 64) for _ in range(lines))])
    return f"-----BEGIN {title}-----\n{body}\n-----END {title}-----"


def handle(draw: Random) -> str:
    body = some(draw, LETTERS, 35)
    return f"qgh{body}{check_characters(body)}"


def counts(draw: Random, width: int = 40) -> str:
    return json.dumps({some(draw, "01", width): draw.randrange(1, 900) for _ in range(6)})


def calibration(draw: Random) -> str:
    document = {
        "commit": some(draw, HEX, 40),
        "checksum": {"md5": some(draw, HEX, 32), "sha256": some(draw, HEX, 64)},
        "calibration_set_id": uuid(draw),
        "last_calibration": "2027-01-14T06:12:31Z",
        "qubits": [{"T1": draw.random() * 200, "T2": draw.random() * 150, "readout_error": draw.random() / 50}],
    }
    return json.dumps(document)


def pip_lines(draw: Random) -> str:
    digest = some(draw, HEX, 64)
    return (
        f"qiskit==2.1.0 --hash=sha256:{digest}\n"
        f"  Downloading qiskit-2.1.0-cp39-abi3-linux_x86_64.whl#sha256={some(draw, HEX, 64)} (7.5 MB)\n"
        f"  Created wheel for mthree: filename=mthree-3.0.0-py3-none-any.whl size=5120 sha256={some(draw, HEX, 64)}"
    )


LOOKALIKES: dict[str, Callable[[Random], str]] = {
    "job id, 20 letters and digits": lambda d: "d" + some(d, LOWER, 19),
    "job id, 24 hexadecimal": lambda d: some(d, HEX, 24),
    "job id, UUID": uuid,
    "job id, project and task": lambda d: (
        f"projects/lab-{d.randrange(99)}/programs/prog-{d.randrange(9999)}/jobs/job-0"
    ),
    "job id, number": lambda d: str(d.randrange(10**6, 10**9)),
    "task ARN": lambda d: f"arn:aws:braket:us-east-1:{some(d, string.digits, 12)}:quantum-task/{uuid(d)}",
    "device ARN": lambda _: "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet",
    "CRN": lambda d: f"crn:v1:bluemix:public:quantum-computing:us-east:a/{some(d, HEX, 32)}:{uuid(d)}::",
    "subscription": lambda d: f"/subscriptions/{uuid(d)}/resourceGroups/rg/providers/Microsoft.Quantum/Workspaces/lab",
    "UUID": uuid,
    "UUID in capitals": lambda d: uuid(d).upper(),
    "bits": lambda d: some(d, "01", d.randrange(24, 130)),
    "counts": counts,
    "counts of two registers": lambda d: json.dumps({f"{some(d, '01', 20)} {some(d, '01', 12)}": 12}),
    "counts in hexadecimal": lambda d: json.dumps({f"0x{some(d, HEX, 10)}": d.randrange(900) for _ in range(4)}),
    "OpenQASM 2": lambda d: (
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[5];\ncreg meas[5];\n'
        f"u3({d.random()},{d.random()},{-d.random()}) q[0];\ncx q[0],q[1];\nmeasure q[0] -> meas[0];"
    ),
    "OpenQASM 3": lambda d: f'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[3] q;\nrz({d.random()}) q[1];\nbarrier q;',
    "QPY": lambda d: encoded(d, b"QISKIT\x0c\x01\x04\x00\x00\x00\x00\x00\x00\x00\x01", 300),
    "compressed circuit": lambda d: encoded(d, b"x\x9c", 400),
    "calibration": calibration,
    "git commit": lambda d: some(d, HEX, 40),
    "MD5": lambda d: some(d, HEX, 32),
    "SHA-256": lambda d: some(d, HEX, 64),
    "SHA-512": lambda d: some(d, HEX, 128),
    "pip": pip_lines,
    "subresource": lambda d: f"sha384-{some(d, BASE64, 64)}",
    "docker digest": lambda d: f"registry.example/lab/qpu@sha256:{some(d, HEX, 64)}",
    "cell id": lambda d: some(d, HEX, 8),
    "plotly uid": lambda d: json.dumps({"uid": uuid(d), "type": "scatter"}),
    "element id": lambda d: f'<div id="{uuid(d)}" class="plotly-graph-div"></div>',
    "public key of OpenSSH": lambda d: f"ssh-ed25519 {blob(d, 'ssh-ed25519')} ada@lab",
    "public key": lambda d: pem(d, "PUBLIC KEY", 4),
    "certificate": lambda d: pem(d, "CERTIFICATE"),
    "certificate request": lambda d: pem(d, "CERTIFICATE REQUEST"),
    "fingerprint of SSH": lambda d: f"SHA256:{some(d, BASE64, 43)}",
    "fingerprint of SSH, MD5": lambda d: "MD5:" + ":".join(some(d, HEX, 2) for _ in range(16)),
    "S3": lambda d: f"s3://amazon-braket-us-east-1-{some(d, string.digits, 12)}/tasks/{uuid(d)}/results.json",
    "handle": handle,
    "mark": lambda _: "[redacted:ibm-quantum-api-key]",
    "second mark": lambda _: "[redacted]",
}

AROUND = {
    "alone": "{}\n",
    "IBM": "QiskitRuntimeService().backend('ibm_fez') IBM Quantum\n{}\n",
    "IonQ": "IonQ Forte, api.ionq.co\n{}\n",
    "D-Wave": "D-Wave Leap solver, dwave.cloud\n{}\n",
    "IQM and Quantinuum": "IQM Resonance and Quantinuum H2\n{}\n",
    "Braket": "AwsDevice, Amazon Braket, Azure Quantum, Rigetti, OQC, Pasqal\n{}\n",
    "token in prose": "No token is needed to read this; the key is in the vault.\n\n{}\n",
    "password in prose": "Ask the lab for a password before you submit.\n\n{}\n",
    "keys of a dictionary": "the keys of the result are printed below\n\n{}\n",
}


@pytest.fixture(scope="module")
def scanner():
    return Scanner.load(ScanSettings(b"k" * 32))


def rules(result):
    return [(finding.rule_id, finding.preview) for finding in result.findings]


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize("make", LOOKALIKES.values(), ids=LOOKALIKES)
def test_it_is_left_alone(scanner, make, around):
    for seed in SEEDS:
        text = around.format(make(Random(seed)))
        assert rules(scanner.scan_text(text)) == []
        assert rules(scanner.scan_notebook(notebook(text, cell_type="markdown"))) == []
        assert (
            rules(scanner.scan_notebook(notebook("job.result()", [stream(text), data(text__plain=repr(text))]))) == []
        )


NAMES = {
    "job id": "job_id = '{}'",
    "get a job": "job = service.job('{}')",
    "instance": "service = QiskitRuntimeService(instance='{}')",
    "in JSON": '{{"id": "{}", "status": "COMPLETED"}}',
    "commit": "commit = '{}'",
    "checksum": "checksum: {}",
    "session": "session_id: '{}'",
    "task": "print(task.id)  # {}",
}
VALUES = {name: make for name, make in LOOKALIKES.items() if name.startswith(("job", "task", "CRN", "UUID", "git"))}


@pytest.mark.parametrize("around", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("make", VALUES.values(), ids=VALUES)
def test_under_its_own_name_it_is_left_alone_too(scanner, make, around):
    for seed in SEEDS:
        source = f"from qiskit_ibm_runtime import QiskitRuntimeService\n{around.format(make(Random(seed)))}\n"
        assert rules(scanner.scan_notebook(notebook(source, [stream(source)]))) == []


EXEMPT = {name: LOOKALIKES[name] for name in ("handle", "mark", "second mark")}


@pytest.mark.parametrize("place", ["QiskitRuntimeService(token='{}')", "QISKIT_IBM_TOKEN={}", "api_key: '{}'"])
@pytest.mark.parametrize("make", EXEMPT.values(), ids=EXEMPT)
def test_handles_and_marks_may_stand_where_a_key_stood(scanner, make, place):
    for seed in SEEDS:
        assert rules(scanner.scan_text(place.format(make(Random(seed))) + "\n")) == []


def test_what_is_not_quite_a_handle_is_none(scanner):
    exact = handle(Random(1))
    for text in (exact[:-1] + ("A" if exact[-1] != "A" else "B"), f"{exact}x", f"x{exact}"):
        assert len(scanner.scan_text(f"QISKIT_IBM_TOKEN={text}\n").findings) == 1
