"""Real clients that are given a proxy with a user and password by the variables of a kernel, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.egress.credential import USER, new_password, proxy_url
from jupyter_qguard.sandbox.environment import kernel_environment
from tests.gateway.owner import PATIENCE, entry

pytestmark = pytest.mark.e2e
HOST = "api.vendor.test"
PYTHON = {
    "urllib": "import urllib.request as u; u.urlopen(URL)",
    "requests": "import requests; requests.get(URL)",
    "httpx": "import httpx; httpx.get(URL)",
    "urllib3": (
        "import os, urllib3, urllib3.util as u; p = u.parse_url(os.environ['HTTPS_PROXY'])\n"
        "h = u.make_headers(proxy_basic_auth=p.auth)\n"
        "urllib3.ProxyManager(str(p), proxy_headers=h, retries=0).request('GET', URL)"
    ),
    "aiohttp": (
        "import asyncio, ssl, aiohttp\nasync def go():\n"
        "    async with aiohttp.ClientSession(trust_env=True) as s: await s.get(URL, ssl=ssl.create_default_context())\n"
        "asyncio.run(go())"
    ),
    "botocore": (
        "import botocore.session as b; s = b.get_session(); s.set_credentials('a', 'b')\n"
        "s.create_client('s3', region_name='us-east-1', endpoint_url=URL).list_buckets()"
    ),
}
SILENT = {"botocore", "pip", "uv"}
"""These try again, and do not name the status in the end."""
PROGRAMS = {
    "curl": "curl -sS --max-time 20 {url}",
    "git": "git ls-remote {url}",
    "uv": f"{sys.executable} -m uv pip install --dry-run --no-cache --index-url {{url}} nothing-of-the-kind",
    "pip": f"{sys.executable} -m pip download --no-deps --retries 0 --index-url {{url}} nothing-of-the-kind",
}


@pytest.fixture
def kernel(start, place, vendor):
    place.policy(entry(HOST, vendor.port))
    return start(password=new_password())


def variables(kernel, certificate, *, shown=True):
    """What a kernel of this door has."""
    port = kernel.proxy.getsockname()[1]
    proxy = proxy_url(port, kernel.password)
    return kernel_environment(
        {"PATH": os.environ["PATH"], "HOME": str(Path(certificate[0]).parent)},
        proxy=proxy if shown else proxy.replace(f"{USER}:{kernel.password}@", ""),
        ca_bundle=str(certificate[0]),
        catalog=load_catalog(),
    )


def command(client, url):
    if client in PYTHON:
        return [sys.executable, "-c", f"URL = {url!r}\n{PYTHON[client]}"]
    if client == "curl" and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    return PROGRAMS[client].format(url=url).split()


@pytest.mark.parametrize("client", [*PYTHON, *PROGRAMS])
@pytest.mark.parametrize("shown", [True, False], ids=["with", "without"])
def test_a_client_shows_the_password_of_its_variables(kernel, vendor, certificate, client, shown):
    done = subprocess.run(
        command(client, f"https://{HOST}:{vendor.port}/path"),
        env=variables(kernel, certificate, shown=shown),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    # What the vendor answers is no index and no repository, and uv (rustls) does not take a certificate that is its own
    # authority: that the proxy let the client through to the vendor is what counts.
    assert bool(vendor.connections) is shown, done.stderr[-2000:]
    if not shown and client not in SILENT:
        assert "407" in done.stdout + done.stderr


CALL = """
import os, sys, grpc
channel = grpc.secure_channel(sys.argv[1], grpc.ssl_channel_credentials())
call = channel.unary_unary("/vendor.Jobs/Submit", request_serializer=bytes, response_deserializer=bytes)
print(call(b"job", timeout=20).decode())
"""


@pytest.mark.parametrize("shown", [True, False], ids=["with", "without"])
def test_grpc_shows_the_password_of_its_variables(start, place, certificate, shown):
    def answer(request, _context):
        return b"took " + request

    methods = {"Submit": grpc.unary_unary_rpc_method_handler(answer)}
    server = grpc.server(ThreadPoolExecutor(1), [grpc.method_handlers_generic_handler("vendor.Jobs", methods)])
    chain, key = (Path(each).read_bytes() for each in certificate)
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, chain)]))
    server.start()
    try:
        place.policy(entry(HOST, port))
        kernel = start(password=new_password())
        done = subprocess.run(
            [sys.executable, "-c", CALL, f"{HOST}:{port}"],
            env=variables(kernel, certificate, shown=shown),
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            check=False,
        )
    finally:
        server.stop(None)
    assert (done.stdout == "took job\n") is shown, done.stderr[-2000:]
