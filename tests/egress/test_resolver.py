"""From names to addresses that may be dialled, with a look-up of the test's own; and the dialling, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import threading
from ipaddress import ip_address, ip_network

import pytest

from jupyter_qguard.egress import resolver as resolver_module
from jupyter_qguard.egress.dial import UnreachableError, UpstreamProxy, _alternating, dial
from jupyter_qguard.egress.resolver import NoAddressError, Resolver, system_lookup
from jupyter_qguard.policy.destination import Destination
from jupyter_qguard.policy.host import normalise_host

LOCAL = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
PUBLIC = ("8.8.4.4", "2600::1")


def resolve(lookup, name="api.vendor.test", accepted=(), times=1):
    async def run():
        resolver = Resolver(lookup)
        slots = resolver.slots()
        try:
            found = [await resolver.acceptable(normalise_host(name), accepted, slots) for _ in range(times)]
        finally:
            resolver.close()
        return found[-1]

    return asyncio.run(run())


def test_public_addresses_are_acceptable_in_their_order_and_each_once():
    found = resolve(lambda _: [*PUBLIC, PUBLIC[0], "::ffff:8.8.4.4"])
    assert found == tuple(ip_address(each) for each in PUBLIC)


def test_an_entry_with_addresses_takes_these_and_no_others():
    assert resolve(lambda _: ["127.0.0.1", "8.8.4.4"], accepted=LOCAL) == (ip_address("127.0.0.1"),)
    with pytest.raises(NoAddressError, match="not among the `addresses`") as caught:
        resolve(lambda _: ["8.8.4.4"], accepted=LOCAL)
    assert caught.value.forbidden


def test_private_addresses_are_left_out_and_refused_where_there_are_no_others():
    assert resolve(lambda _: ["10.0.0.1", "8.8.4.4"]) == (ip_address("8.8.4.4"),)
    with pytest.raises(NoAddressError, match="is link-local") as caught:
        resolve(lambda _: ["169.254.169.254"])
    assert caught.value.forbidden


@pytest.mark.parametrize("answer", [[], OSError(), UnicodeError(), ["no address"], ["fe80::1%lo"]])
def test_a_name_without_an_address_that_can_be_understood_is_no_refusal_of_the_policy(answer):
    def lookup(_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(NoAddressError) as caught:
        resolve(lookup)
    assert caught.value.forbidden == (answer == ["fe80::1%lo"])


def test_a_literal_is_never_looked_up():
    def lookup(_):
        raise AssertionError

    assert resolve(lookup, "8.8.4.4") == (ip_address("8.8.4.4"),)
    with pytest.raises(NoAddressError, match="loopback"):
        resolve(lookup, "127.0.0.1")


def test_an_answer_is_kept_for_a_while_and_forgotten_on_demand():
    asked = []

    async def run():
        resolver = Resolver(lambda name: asked.append(name) or PUBLIC)
        slots, host = resolver.slots(), normalise_host("api.vendor.test")
        for _ in range(3):
            await resolver.acceptable(host, (), slots)
        assert len(asked) == 1
        resolver.forget(host)
        await resolver.acceptable(host, (), slots)
        assert len(asked) == 2
        resolver.close()

    asyncio.run(run())


def test_a_kept_answer_is_checked_against_the_entry_of_each_connection():
    async def run():
        resolver = Resolver(lambda _: ["127.0.0.1"])
        slots, host = resolver.slots(), normalise_host("api.vendor.test")
        assert await resolver.acceptable(host, LOCAL, slots)
        with pytest.raises(NoAddressError):
            await resolver.acceptable(host, (), slots)
        resolver.close()

    asyncio.run(run())


def test_many_questions_for_one_name_are_one_look_up_and_slow_names_of_one_kernel_leave_room(monkeypatch):
    monkeypatch.setattr(resolver_module, "LIMIT_SECONDS", 0.5)
    release, asked = threading.Event(), []

    def lookup(name):
        asked.append(name)
        if name.startswith("slow"):
            release.wait(30)
        return PUBLIC

    async def run():
        resolver = Resolver(lookup)
        greedy, other = resolver.slots(), resolver.slots()
        slow = [resolver.acceptable(normalise_host(f"slow{n % 40}.test"), (), greedy) for n in range(80)]
        waiting = [asyncio.get_running_loop().create_task(each) for each in slow]
        assert await resolver.acceptable(normalise_host("quick.test"), (), other)
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(each, NoAddressError) for each in results)
        assert len([name for name in asked if name.startswith("slow")]) == 8
        release.set()
        resolver.close()

    asyncio.run(run())


def test_the_system_knows_localhost():
    assert set(system_lookup("localhost")) & {"127.0.0.1", "::1"}


def test_the_families_are_tried_by_turns():
    four, six = [ip_address(f"8.8.4.{n}") for n in range(3)], [ip_address("2600::1")]
    assert _alternating([*four, *six]) == [four[0], six[0], four[1], four[2]]
    assert _alternating([*six, *four])[0] == six[0]


def test_addresses_are_tried_until_one_answers():
    async def run():
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            made, address = await dial([ip_address("127.0.0.2"), ip_address("127.0.0.1")], port)
            with made:
                assert made.getpeername() == ("127.0.0.1", port)
            assert address == ip_address("127.0.0.1")
        with pytest.raises(UnreachableError, match="Connection refused"):
            await dial([ip_address("127.0.0.1")], port)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n", ""),
        (b"HTTP/1.0 200\r\n\r\n", ""),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "answers 407"),
        (b"SSH-2.0-x\r\n\r\n", "answers"),
        (b"a" * 20_000 + b"\r\n\r\n", "answers"),
        (b"", "does not answer"),
    ],
)
def test_a_tunnel_through_the_proxy_of_the_machine(answer, problem):
    async def run():
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setblocking(False)
            proxy = UpstreamProxy.parse(f"http://proxy.test:{server.getsockname()[1]}")
            loop = asyncio.get_running_loop()

            async def serve():
                client, _ = await loop.sock_accept(server)
                with client:
                    head = await loop.sock_recv(client, 65536)
                    await loop.sock_sendall(client, answer + b"server first")
                    if not problem:
                        await loop.sock_recv(client, 1)
                    return head

            serving = loop.create_task(serve())
            destination = Destination(normalise_host("2600::1"), 443)
            if problem:
                with pytest.raises(UnreachableError, match=problem):
                    await proxy.tunnel([ip_address("127.0.0.1")], destination)
            else:
                made = await proxy.tunnel([ip_address("127.0.0.1")], destination)
                with made:
                    assert await loop.sock_recv(made, 100) == b"server first"
            assert await serving == b"CONNECT [2600::1]:443 HTTP/1.1\r\nHost: [2600::1]:443\r\n\r\n"

    asyncio.run(run())


def test_a_proxy_that_wants_tls_is_not_served():
    with pytest.raises(UnreachableError, match="http://"):
        UpstreamProxy.parse("https://proxy.test:3128")
