"""A proxy that others reach too: it serves the kernel that has its password, and says 407 to all others."""

from __future__ import annotations

import base64
import socket

import pytest

from jupyter_qguard.egress.credential import USER, digest_of, new_password
from jupyter_qguard.gateway import control
from tests.gateway.client import get, head, rest, secure
from tests.gateway.owner import KernelDoors, entry

HOST = "api.vendor.test"


@pytest.fixture
def password():
    return new_password()


def header(password, user=USER):
    return f"Proxy-Authorization: Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}\r\n"


def ask(kernel, line, headers=""):
    client = kernel.connect()
    client.sendall(f"{line} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
    return client, head(client)


def test_who_has_the_password_gets_through_and_it_goes_no_further(start, place, vendor, trust, password):
    place.policy(entry(HOST, vendor.port))
    kernel = start(password=password)
    client, answer = ask(kernel, f"CONNECT {HOST}:{vendor.port}", header(password))
    assert answer.startswith(b"HTTP/1.1 200 ")
    with secure(client, trust, HOST) as secured:
        assert get(secured, HOST) == (200, b"result")
    ((_, headers),) = vendor.seen
    assert not [name for name in headers if name.lower().startswith("proxy")]


@pytest.mark.parametrize(
    "headers",
    [
        "",
        header("another"),
        header("", user=""),
        "Proxy-Authorization: Basic !!!\r\n",
        "Authorization: Basic eDp5\r\n",
    ],
    ids=["none", "another", "empty", "nonsense", "for the server"],
)
@pytest.mark.parametrize("plain", [False, True])
def test_who_has_not_is_asked_for_it(start, place, vendor, password, headers, plain):
    place.policy(entry(HOST, vendor.port, plain=True))
    kernel = start(password=password)
    line = f"GET http://{HOST}:{vendor.port}/" if plain else f"CONNECT {HOST}:{vendor.port}"
    client, answer = ask(kernel, line, headers)
    with client:
        assert answer.startswith(b"HTTP/1.1 407 Proxy Authentication Required: qguard: ")
        assert b'\r\nProxy-Authenticate: Basic realm="qguard"\r\n' in answer
        assert b"qguard: " in rest(client)
    assert vendor.connections == 0


def test_the_right_password_beside_a_wrong_one_is_wrong(start, place, vendor, password):
    place.policy(entry(HOST, vendor.port))
    kernel = start(password=password)
    client, answer = ask(kernel, f"CONNECT {HOST}:{vendor.port}", header(password) + header("other"))
    client.close()
    assert answer.startswith(b"HTTP/1.1 407 ")


def test_a_password_is_one_kernels_alone(start, place, vendor, password):
    place.policy(entry(HOST, vendor.port))
    kernel = start(password=password)
    other = KernelDoors(kernel.owner, "kernel-2", password=new_password())
    for door, mine, status in ((kernel, password, b"200"), (other, password, b"407"), (other, other.password, b"200")):
        client, answer = ask(door, f"CONNECT {HOST}:{vendor.port}", header(mine))
        client.close()
        assert answer.split(b" ")[1] == status
    other.close()


def test_a_wrong_password_is_recorded_without_host_and_told_and_none_at_all_is_neither(start, place, vendor, password):
    kernel = start(password=password)
    ask(kernel, f"CONNECT {HOST}:{vendor.port}")[0].close()
    ask(kernel, f"CONNECT {HOST}:{vendor.port}", header("other"))[0].close()
    told = kernel.owner.expect(control.Refused)
    assert (told.host, told.port) == ("", 0)
    kernel.owner.stop()
    (record,) = place.records()
    assert (record["data"]["action"], record["data"].get("host", "")) == ("refuse", "")
    assert "password" in record["data"]["reason"]
    assert HOST not in str(record)


def test_a_ping_is_answered_to_who_has_the_password_and_recorded_for_nobody(start, place, password):
    kernel = start(password=password)
    for headers, status in (("", b"407"), (header(password), b"204")):
        client, answer = ask(kernel, "OPTIONS *", headers)
        with client:
            assert answer.split(b" ")[1] == status
            rest(client)
    kernel.owner.stop()
    assert place.records() == []


def test_a_kernel_with_a_network_of_its_own_needs_none(start):
    kernel = start()
    client, answer = ask(kernel, "OPTIONS *")
    client.close()
    assert answer.startswith(b"HTTP/1.1 204 ")


def test_only_a_proxy_can_be_shared(start, password):
    owner = start().owner
    with socket.create_server(("127.0.0.1", 0)) as listener:
        door = control.Door(control.DoorKind.DIRECT, 443)
        answer = owner.ask(
            control.OpenDoors, [listener.fileno()], kernel="k", doors=(door,), credential=digest_of(password)
        )
    assert isinstance(answer, control.Failed)
    assert "ask who its client is" in answer.reason
