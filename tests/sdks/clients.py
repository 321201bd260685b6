"""What a person would write with each vendor's own client, and what the stand-in answers. Run in its own environment."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tests.gateway.vendors import Answer, as_json

_SOLVERS = "application/vnd.dwave.sapi.solver-definition-list+json; version=3.0.0"


def _typed(document, kind):
    return Answer(200, json.dumps(document).encode(), headers=(("Content-Type", kind),))


@dataclass(frozen=True)
class SdkClient:
    """One client: what to install, its code, the stand-in's answers, and the header in which the vendor sees the key."""

    vendor: str
    package: str
    code: str
    answers: dict = field(repr=False)
    header: str
    spelled: str
    printed: str


CLIENTS = (
    SdkClient(
        "dwave",
        "dwave-cloud-client==0.14.8",
        "from dwave.cloud import Client\n"
        "with Client.from_config() as client: print([each.name for each in client.get_solvers()])",
        {
            "GET /metadata/v1/regions/": _typed(
                [{"code": "na-west-1", "name": "West", "endpoint": "https://set-region.cloud.dwavesys.com/sapi/v2/"}],
                "application/vnd.dwave.metadata.regions+json; version=1.0.0",
            ),
            "GET /sapi/solvers/remote/": _typed(
                [
                    {
                        "identity": {"name": "hybrid_v2"},
                        "status": "ONLINE",
                        "description": "x",
                        "properties": {"supported_problem_types": ["bqm"], "parameters": {}, "category": "hybrid"},
                        "avg_load": 0.1,
                    }
                ],
                _SOLVERS,
            ),
        },
        "x-auth-token",
        "KEY",
        "hybrid_v2",
    ),
    SdkClient(
        "xanadu",
        "xanadu-cloud-client==0.3.2",
        "import xcc\nprint([each.target for each in xcc.Device.list(xcc.Connection.load())])",
        {
            "POST /auth/realms/platform/protocol/openid-connect/token": as_json({"access_token": "TOKEN"}),
            "GET /devices": as_json({"data": [{"target": "X8_01", "status": "online"}]}),
        },
        "authorization",
        "Bearer TOKEN",
        "X8_01",
    ),
    SdkClient(
        "pasqal",
        "pasqal-cloud==0.24.0",
        "import os\nfrom pasqal_cloud import SDK\n"
        "sdk = SDK(username='ada', password=os.environ['PASQAL_PASSWORD'], project_id='p-1')\n"
        "print(sdk.get_device_specs_dict())",
        {
            "POST /oauth/token": as_json({"access_token": "TOKEN", "expires_in": 3600}),
            "GET /core-fast/api/v1/devices/specs": as_json({"data": {"FRESNEL": "{}"}}),
        },
        "authorization",
        "Bearer TOKEN",
        "FRESNEL",
    ),
)
