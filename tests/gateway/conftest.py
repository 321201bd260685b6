"""A gateway of its own for each test."""

from __future__ import annotations

import contextlib
import ssl

import pytest

from benchmarks.certificate import make_certificate
from tests.gateway.owner import KernelDoors, Owner, Place
from tests.gateway.upstream import Upstream

HOSTS = ("api.vendor.test", "other.vendor.test", "elsewhere.test")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"), *HOSTS)


@pytest.fixture
def trust(certificate):
    return ssl.create_default_context(cafile=certificate[0])


@pytest.fixture
def vendor(certificate):
    with Upstream(certificate) as server:
        yield server


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    made.names({name: ["127.0.0.1"] for name in HOSTS})
    return made


@pytest.fixture
def start(place):
    """Starts a gateway and opens a kernel's doors: call it when the policy is written."""
    with contextlib.ExitStack() as stack:

        def started(owner=None, **doors):
            if owner is None:
                owner = Owner(place)
                stack.callback(lambda: owner.process.poll() is not None or owner.stop())
            kernel = KernelDoors(owner, **doors)
            stack.callback(kernel.close)
            return kernel

        yield started
