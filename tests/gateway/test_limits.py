"""A slow, greedy or hostile client is in nobody's way."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from jupyter_qguard.gateway import control
from jupyter_qguard.gateway.limits import Bucket, Limits, RecordLimit
from tests.gateway.client import ask, get, question, read_answer, rest, secure, tunnel
from tests.gateway.owner import PATIENCE, KernelDoors, entry, wait_for


def test_a_bucket_gives_a_second_s_worth_at_once_and_then_its_rate():
    bucket = Bucket(10.0, 0.0)
    assert [bucket.take(0.0) for _ in range(11)] == [True] * 10 + [False]
    assert bucket.seconds == pytest.approx(0.1)
    assert bucket.take(0.1)
    assert not bucket.take(0.1)
    assert [bucket.take(100.0) for _ in range(11)].count(True) == 10


def test_records_of_different_things_are_begun_at_a_rate_and_equal_ones_are_counted_for_a_window():
    limit = RecordLimit(5.0, 0.0, 3.0, 10.0)
    assert [limit.wait(number, 0.0) for number in range(3)] == [0.0] * 3
    assert limit.wait(3, 0.0) == pytest.approx(0.2)
    assert limit.wait(0, 0.1) == 0.0, "equal to one that is counted"
    assert limit.wait(3, 0.21) == 0.0
    begun = sum(limit.wait(number, 100.0 + number / 100) == 0.0 for number in range(1000))
    assert 3 + 49 <= begun <= 3 + 51, "ten seconds' worth"
    fresh = RecordLimit(1.0, 0.0, 2.0, 10.0)
    assert [fresh.wait("a", 0.0), fresh.wait("a", 9.9), fresh.wait("b", 9.9), fresh.wait("c", 9.9)][:3] == [0.0] * 3
    assert fresh.wait("d", 9.9) > 0.0
    assert fresh.wait("a", 10.0) > 0.0, "its window is over: another record, for which it is not yet time"


def test_a_client_that_says_nothing_is_told_so_and_closed(start):
    kernel = start()
    with kernel.connect() as client:
        began = time.monotonic()
        assert rest(client).startswith(b"HTTP/1.1 400 Bad Request: qguard: no whole request came in time")
        assert time.monotonic() - began >= Limits().first_words_seconds - 1


def test_slow_clients_of_one_kernel_are_in_no_other_kernel_s_way(start, place, vendor, trust):
    """More than a kernel may have unfinished: its own wait, and the other kernel's do not."""
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    second = KernelDoors(kernel.owner, "kernel-2")
    slow = [kernel.connect() for _ in range(Limits().unfinished + 20)]
    for number, client in enumerate(slow):
        client.sendall(b"CONNECT api" if number % 2 else b"C")
    client, answer = tunnel(second, "api.vendor.test", vendor.port)
    assert answer.startswith(b"HTTP/1.1 200")
    with secure(client, trust, "api.vendor.test") as secured:
        assert get(secured, "api.vendor.test") == (200, b"result")
    waiting = kernel.connect()
    waiting.sendall(f"CONNECT api.vendor.test:{vendor.port} HTTP/1.1\r\n\r\n".encode())
    waiting.settimeout(0.5)
    with waiting, pytest.raises(TimeoutError):
        waiting.recv(1)
    for each in slow:
        each.close()
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    client.close()
    assert answer.startswith(b"HTTP/1.1 200")
    second.close()


def test_one_connection_too_many_is_refused_with_429_and_room_is_made_by_closing(start, place, vendor):
    place.policy(entry("api.vendor.test", vendor.port, plain=True))
    kernel = start()
    most = Limits().connections
    open_ones = []
    for _ in range(most):
        client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
        assert answer.startswith(b"HTTP/1.1 200")
        open_ones.append(client)
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    client.close()
    assert answer.startswith(f"HTTP/1.1 429 Too Many Requests: qguard: this kernel has {most} connections".encode())
    for each in open_ones:
        each.close()

    def free():
        client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
        client.close()
        return answer.startswith(b"HTTP/1.1 200")

    wait_for(free)


def test_a_thousand_connections_of_several_kernels_are_open_at_once(start, place, vendor, trust):
    place.policy(entry("api.vendor.test", vendor.port))
    kernels = [start()]
    kernels += [KernelDoors(kernels[0].owner, f"kernel-{number}") for number in range(2, 6)]
    clients = []
    for number in range(1000):
        client, answer = tunnel(kernels[number % 5], "api.vendor.test", vendor.port)
        assert answer.startswith(b"HTTP/1.1 200")
        clients.append(secure(client, trust, "api.vendor.test"))
    for client in clients:
        assert get(client, "api.vendor.test", keep=True) == (200, b"result")
    for client in clients:
        client.close()
    for kernel in kernels[1:]:
        kernel.close()


def test_a_flood_of_questions_leaves_the_name_service_at_work(start, place):
    place.policy(entry("api.vendor.test", 443))
    kernel = start()
    second = KernelDoors(kernel.owner, "kernel-2")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        for number in range(5000):
            flood.sendto(f"nonsense {number}".encode(), kernel.names.getsockname())
    assert ask(second, "api.vendor.test")[0] == 0
    second.close()


def test_refusals_are_told_few_and_recorded_all(start, place):
    kernel = start()
    for number in range(60):
        client, _ = tunnel(kernel, f"host{number % 30}.elsewhere.test", 443)
        client.close()
    kernel.owner.stop()
    told = [each for each in kernel.owner.told if isinstance(each, control.Refused)]
    assert 5 <= len(told) < 30
    assert sum(each["data"].get("count", 1) for each in place.records()) == 60
    assert len(place.records()) == 30


def test_a_kernel_that_asks_for_ever_new_names_does_not_fill_the_trail(start, place):
    kernel = start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.settimeout(PATIENCE)
        resolver.connect(kernel.names.getsockname())
        for number in range(400):
            resolver.send(question(f"name{number}.elsewhere.test"))
            assert read_answer(resolver.recv(512)) == (5, "")
    kernel.owner.stop()
    hosts = [each["data"]["host"] for each in place.records()]
    assert 200 <= len(hosts) < 300
    assert "\N{HORIZONTAL ELLIPSIS}" in hosts
    assert sum(each["data"].get("count", 1) for each in place.records()) == 400


@pytest.fixture
def everywhere():
    """The machine's proxy, which reaches every host there is."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:

        def serve():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client, contextlib.suppress(OSError):
                    client.recv(4096)
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


def test_a_kernel_that_reaches_ever_new_hosts_is_slowed_down_and_each_has_its_record(start, place, everywhere):
    """In mode observe, or below a wildcard."""
    place.policy(mode="observe", upstream_proxy=everywhere)
    kernel = start()
    began, more = time.monotonic(), 15
    for number in range(int(Limits().destinations_at_once) + more):
        client, answer = tunnel(kernel, f"host{number}.elsewhere.test", 443)
        client.close()
        assert answer.startswith(b"HTTP/1.1 200"), answer
    assert time.monotonic() - began >= (more - 1) / Limits().destinations_per_second
    kernel.owner.stop()
    hosts = {each["data"]["host"] for each in place.records("egress.decided")}
    assert len(hosts) == Limits().destinations_at_once + more
