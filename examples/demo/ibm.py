"""A stand-in for IBM Quantum: signs in who has the account's key, and takes, runs and answers Sampler jobs.

It is strict: without the key no token, without a token of its own nothing. The device's data are those of a real one,
as the SDK ships them; the counts are made up.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

HOSTS = (
    "iam.cloud.ibm.com",
    "quantum.cloud.ibm.com",
    "api.global-search-tagging.cloud.ibm.com",
    "globalcatalog.cloud.ibm.com",
)
DEVICE = "ibm_demo"
CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/0:demo::"
SHOTS = {0: 507, 3: 493}
"""Counts of a Bell state on a device that is nearly perfect."""
_API = "/api/v1/"
_REFUSED = 401, {"errors": [{"code": 1216, "message": "Authentication failed."}]}

Answer = tuple[int, Any]


@dataclass(slots=True)
class Ibm:
    """One account."""

    key: str
    """What its owner signs in with."""
    tokens: set[str] = field(default_factory=set)
    """Handed out."""
    jobs: dict[str, int] = field(default_factory=dict)
    """How often each was asked for."""
    seen: list[str] = field(default_factory=list)
    """Credentials that reached it, in order."""

    def answer(self, method: str, host: str, path: str, authorization: str, body: bytes) -> Answer:
        """What the vendor says; *path* has no query."""
        if host.startswith("iam."):
            return self._sign_in(body)
        token = authorization.partition(" ")[2]
        if token:
            self.seen.append(token)
        if host.startswith("globalcatalog."):
            return 200, {"overview_ui": {"en": {"display_name": "Open"}}, "metadata": {"pricing": {"type": "free"}}}
        if token not in self.tokens:
            return _REFUSED
        if host.startswith("api.global-search"):
            found = {"crn": CRN, "name": "demo", "service_plan_unique_id": "plan", "tags": []}
            return 200, {"items": [{**found, "doc": {"extensions": [{"name": "all"}]}}]}
        return self._service(method, path.removeprefix(_API).split("/"))

    def _sign_in(self, body: bytes) -> Answer:
        given = parse_qs(body.decode()).get("apikey", [""])[0]
        self.seen.append(given)
        if given != self.key:
            return 400, {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}
        until = int(time.time()) + 3600
        token = _token(until)
        self.tokens.add(token)
        return 200, {
            "access_token": token,
            "refresh_token": "not_supported",
            "expires_in": 3600,
            "expiration": until,
            "token_type": "Bearer",
        }

    def _service(self, method: str, steps: list[str]) -> Answer:
        match method, steps:
            case "GET", ["instances", "usage"]:
                return 200, {"usage_consumed_seconds": 17, "usage_limit_seconds": 600, "usage_limit_reached": False}
            case "GET", ["backends"]:
                status = {"name": "online", "reason": ""}
                listed = {"name": DEVICE, "status": status, "queue_length": 0, "qubits": 5, "clops": None}
                return 200, {"devices": [listed]}
            case "GET", ["backends", name, "configuration" | "properties" as part] if name == DEVICE:
                return 200, _device()[part]
            case "GET", ["backends", name, "status"] if name == DEVICE:
                return 200, {"state": True, "status": "active", "message": "available", "length_queue": 0}
            case "POST", ["jobs"]:
                job = f"d{secrets.token_hex(9)}0"
                self.jobs[job] = 0
                return 200, {"id": job, "backend": DEVICE}
            case "GET", ["jobs", job, *rest] if job in self.jobs:
                return 200, _results() if rest == ["results"] else self._job(job)
        return 404, {"errors": [{"code": 1291, "message": "Not found."}]}

    def _job(self, job: str) -> dict[str, Any]:
        """Queued when it is asked for the first time, then done."""
        self.jobs[job] += 1
        status = "Queued" if self.jobs[job] == 1 else "Completed"
        return {
            "id": job,
            "backend": DEVICE,
            "program": {"id": "sampler"},
            "created": "2026-01-01T00:00:00Z",
            "status": status,
            "state": {"status": status},
        }


@cache
def _device() -> dict[str, Any]:
    from qiskit_ibm_runtime.fake_provider.backends import manila  # noqa: PLC0415 - some seconds

    folder = Path(str(manila.__file__)).parent
    read = {
        "configuration": json.loads((folder / "conf_manila.json").read_text()),
        "properties": json.loads((folder / "props_manila.json").read_text()),
    }
    for part in read.values():
        part["backend_name"] = DEVICE
    return read


@cache
def _results() -> Any:
    from qiskit.primitives import BitArray, DataBin, PrimitiveResult, SamplerPubResult  # noqa: PLC0415
    from qiskit_ibm_runtime.json import RuntimeEncoder  # noqa: PLC0415

    result = PrimitiveResult([SamplerPubResult(DataBin(meas=BitArray.from_counts(SHOTS, num_bits=2)))])
    return json.loads(json.dumps(result, cls=RuntimeEncoder))


def _token(until: int) -> str:
    """Shaped as IAM's, with another end each time."""
    parts = [{"alg": "RS256", "kid": "demo"}, {"iat": until - 3600, "exp": until, "jti": secrets.token_hex(8)}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, secrets.token_urlsafe(32)])
