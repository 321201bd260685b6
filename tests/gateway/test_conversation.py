"""What a kernel is told over its control channel, by a real gateway, and that nothing it sends does harm there."""

from __future__ import annotations

import contextlib
import json
import os
import socket

import pytest

from jupyter_qguard.gateway import control
from jupyter_qguard.gateway.asked import VERSION
from jupyter_qguard.kernel import channel as kernel_side
from jupyter_qguard.kernel.channel import Channel, NotDoneError
from jupyter_qguard.policy.model import Tier
from tests.gateway.client import ask, tunnel
from tests.gateway.owner import KernelDoors, entry


@pytest.fixture
def channel_of():
    made = []

    def make(doors):
        made.append(Channel(doors.inside.dup()))
        return made[-1]

    yield make
    for each in made:
        each.close()


def say(doors, packet):
    """Send *packet* as it is, and give the next one that answers."""
    doors.inside.send(packet)
    return json.loads(doors.inside.recv(1 << 16))


def refuse(doors, host, port=443):
    client, answer = tunnel(doors, host, port)
    client.close()
    assert answer.startswith(b"HTTP/1.1 403")


def test_both_sides_speak_the_same_version_and_length():
    assert kernel_side.VERSION == VERSION
    assert kernel_side.MAX_PACKET == control.MAX_PACKET


def test_status_names_what_holds_and_what_does_not(start, place, channel_of):
    place.policy(entry("api.vendor.test", 443), entry("qpu.vendor.test", 8443))
    status = channel_of(start(direct_ports=(8111,))).ask("status")
    assert (status["tier"], status["mode"], status["minimum_tier"]) == ("netns", "enforce", "cooperative")
    assert [each["host"] for each in status["allowed"]] == ["api.vendor.test", "qpu.vendor.test"]
    assert status["policy"] == [f"user: {place.policy_path}"]
    assert status["ports_after_restart"] == [443, 8443], "the listeners that this kernel has none of"
    assert any("timing" in each for each in status["not_stopped"])


def test_each_kernel_is_told_of_itself_by_the_channel_it_holds(start, channel_of):
    first = start()
    second = KernelDoors(first.owner, "kernel-2", tier=Tier.COOPERATIVE)
    assert channel_of(first).ask("status")["kernel"] == "kernel-1"
    other = channel_of(second)
    told = other.ask("status")
    assert (told["kernel"], told["tier"]) == ("kernel-2", "cooperative")
    assert "programs that do not heed the proxy variables" in told["not_stopped"]
    refuse(first, "elsewhere.test")
    assert other.ask("refusals")["refusals"] == [], "the refusals of another kernel"
    second.close()


def test_explain_names_the_line_that_decides(start, place, channel_of):
    place.policy(entry("api.vendor.test", 443), deny=[{"host": "bad.test", "reason": "collects keys"}])
    channel = channel_of(start())
    allowed = channel.ask("explain", host="https://api.vendor.test/v1")
    assert (allowed["action"], allowed["rule"]) == ("allow", "egress.allow[0]")
    assert allowed["where"].startswith(f"{place.policy_path}:")
    denied = channel.ask("explain", host="bad.test:8443")
    assert (denied["action"], denied["port"], denied["rule"]) == ("refuse", 8443, "egress.deny[0]")
    assert "collects keys" in denied["reason"]
    assert channel.ask("explain", host="elsewhere.test")["rule"] == ""


@pytest.mark.parametrize("host", ["no host", "*.test", "a" * 300, "x.test:99999"])
def test_what_is_no_host_is_said_to_be_none(start, channel_of, host):
    with pytest.raises(NotDoneError):
        channel_of(start()).ask("explain", host=host)


def test_refusals_are_told_once_with_their_number_and_only_after_there_is_one(start, channel_of):
    doors = start()
    channel = channel_of(doors)
    assert not channel.was_refused()
    for _ in range(3):
        refuse(doors, "elsewhere.test")
    ask(doors, "named.test")
    assert channel.was_refused()
    told = channel.ask("refusals")["refusals"]
    assert [(each["host"], each["port"], each["count"]) for each in told] == [
        ("elsewhere.test", 443, 3),
        ("named.test", 0, 1),
    ]
    assert "not on the allowlist" in told[0]["reason"]
    assert channel.ask("refusals")["refusals"] == []
    assert not channel.was_refused()
    refuse(doors, "elsewhere.test")
    assert channel.was_refused(), "the same host again, in the next cell"


def test_very_many_hosts_are_a_number(start, channel_of):
    doors = start()
    for number in range(40):
        refuse(doors, f"h{number}.test")
    told = channel_of(doors).ask("refusals")
    assert (len(told["refusals"]), told["more"]) == (32, 8)


HOSTILE = [
    b"not JSON",
    b"{}",
    b"[]",
    b"\xff\xfe",
    b'{"v":1,"id":7}',
    b'{"v":2,"id":7,"op":"status"}',
    b'{"v":1,"id":7,"op":"allow","host":"elsewhere.test"}',
    b'{"v":1,"id":7,"op":"status","kernel":"kernel-2"}',
    b'{"v":1,"id":7,"op":"explain","host":' + b"9" * 60 + b"}",
    b'{"v":1,"id":7,"op":"explain","host":"' + b"a" * 4000 + b'"}',
    b'{"v":1,"id":7,"op":"status","x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    b" " * control.MAX_PACKET + b'{"v":1,"id":7,"op":"status"}',
]


@pytest.mark.parametrize("packet", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_request_is_answered_and_changes_nothing(start, packet):
    doors = start()
    answer = say(doors, packet)
    assert answer["v"] == VERSION
    assert answer["id"] in {0, 7}
    assert "does not understand" in answer["error"]["text"]
    assert say(doors, b'{"v":1,"id":8,"op":"hello"}')["answer"]["tier"] == "netns"
    assert doors.owner.process.poll() is None


def test_a_request_that_is_sent_again_is_answered_again_and_not_done_again(start):
    doors = start()
    refuse(doors, "elsewhere.test")
    assert json.loads(doors.inside.recv(1 << 16)) == {"v": VERSION, "event": "refused"}
    request = b'{"v":1,"id":3,"op":"refusals"}'
    first = say(doors, request)
    assert len(first["answer"]["refusals"]) == 1
    assert say(doors, request) == first
    assert say(doors, b'{"v":1,"id":4,"op":"refusals"}')["answer"]["refusals"] == []


def test_descriptors_that_a_kernel_sends_go_nowhere(start):
    doors = start()
    reader, writer = os.pipe()
    socket.send_fds(doors.inside, [b'{"v":1,"id":1,"op":"hello"}'], [writer])
    os.close(writer)
    assert json.loads(doors.inside.recv(1 << 16))["id"] == 1
    assert os.read(reader, 1) == b"", "the gateway kept the descriptor of a kernel"
    os.close(reader)


def test_a_kernel_that_does_not_read_its_answers_is_in_nobody_s_way(start, channel_of):
    doors = start()
    second = KernelDoors(doors.owner, "kernel-2")
    doors.inside.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        for _ in range(100_000):
            doors.inside.send(b'{"v":1,"id":1,"op":"status"}')
    assert channel_of(second).ask("hello")["tier"] == "netns"
    refuse(doors, "elsewhere.test")
    second.close()


def test_the_next_gateway_answers_on_the_same_channel(start, channel_of):
    """As the owner does it: the gateway's end is handed to the next one; a request that waits is answered by that."""
    doors = start()
    channel = channel_of(doors)
    assert channel.ask("hello")
    doors.owner.kill()
    doors.inside.send(b'{"v":1,"id":90,"op":"hello"}')
    doors.owner.start()
    doors.open()
    assert json.loads(doors.inside.recv(1 << 16))["id"] == 90
    assert channel.ask("hello") == {"tier": "netns", "mode": "enforce"}


def test_the_first_word_of_a_kernel_is_told_to_the_owner(start, channel_of):
    doors = start()
    channel_of(doors).say("hello")
    assert doors.owner.expect(control.Began).kernel == "kernel-1"


def test_a_descriptor_that_is_no_such_channel_is_refused(start):
    doors = start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        answer = doors.owner.ask(
            control.OpenDoors, [stream.fileno()], kernel="k", doors=(control.Door(control.DoorKind.CONTROL),)
        )
    assert isinstance(answer, control.Failed)
