"""Messages between the gateway and its owner, over a real pair of sockets."""

from __future__ import annotations

import os
import socket

import msgspec
import pytest

from jupyter_qguard.errors import GuardFailureError, InputError
from jupyter_qguard.gateway.control import (
    MAX_PACKET,
    NAMES_IN_A_PACKET,
    CloseDoors,
    Door,
    DoorKind,
    OpenDoors,
    Recall,
    ToGateway,
    make_pair,
    receive_message,
    send_message,
)

DECODER = msgspec.json.Decoder(ToGateway)


@pytest.fixture
def pair():
    owner, gateway = make_pair()
    with owner, gateway:
        yield owner, gateway


def test_a_message_arrives_with_descriptors_that_are_new_and_not_inherited(pair):
    owner, gateway = pair
    message = OpenDoors(request=7, kernel="k", doors=(Door(DoorKind.PROXY, 3128),))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        send_message(owner, message, [listener.fileno()])
        received, descriptors = receive_message(gateway, DECODER)
        with socket.socket(fileno=descriptors[0]) as same:
            assert received == message
            assert same.fileno() != listener.fileno()
            assert same.getsockname() == listener.getsockname()
            assert not same.get_inheritable()


def test_each_packet_is_one_message(pair):
    owner, gateway = pair
    for number in range(3):
        send_message(owner, CloseDoors(request=number, kernel="k"))
    assert [receive_message(gateway, DECODER)[0].request for _ in range(3)] == [0, 1, 2]


def test_the_end_of_one_side_is_what_the_other_sees(pair):
    owner, gateway = pair
    owner.close()
    with pytest.raises(EOFError):
        receive_message(gateway, DECODER)


@pytest.mark.parametrize("packet", [b"{}", b"not JSON", b'{"type":"close","request":"x","kernel":"k"}', b'["open"]'])
def test_what_is_no_message_is_refused_and_its_descriptors_are_closed(pair, packet):
    owner, gateway = pair
    reader, writer = os.pipe()
    socket.send_fds(owner, [packet], [writer])
    os.close(writer)
    with pytest.raises(InputError, match="cannot be read"):
        receive_message(gateway, DECODER)
    assert os.read(reader, 1) == b"", "the other end of the pipe is still open somewhere"
    os.close(reader)


def test_a_message_that_was_cut_off_is_refused(pair):
    owner, gateway = pair
    owner.send(b" " * (MAX_PACKET + 1))
    with pytest.raises(InputError, match="cut off"):
        receive_message(gateway, DECODER)


def test_what_does_not_fit_into_a_packet_is_not_sent(pair):
    with pytest.raises(GuardFailureError, match="too large"):
        send_message(pair[0], Recall(kernel="k", names=("n" * 253,) * 300))


def test_as_many_names_as_go_into_a_packet_fit(pair):
    message = Recall(kernel="k" * 64, names=("n" * 253,) * NAMES_IN_A_PACKET)
    send_message(pair[0], message)
    assert receive_message(pair[1], DECODER)[0] == message
