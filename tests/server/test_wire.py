"""Messages between the server and a worker: whole or not at all, and without the key of the fingerprints in a log."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from jupyter_qguard.server import wire
from tests.server.findings import finding

REQUESTS: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(wire.Request)
ANSWERS: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(wire.Answer)


@pytest.fixture
def channels() -> Iterator[tuple[wire.Channel, wire.Channel]]:
    """Two ends, of which each reads what the other writes."""
    (left_in, right_out), (right_in, left_out) = os.pipe(), os.pipe()
    ends = [
        (os.fdopen(r, "rb", buffering=0), os.fdopen(w, "wb", buffering=0))
        for r, w in ((left_in, left_out), (right_in, right_out))
    ]
    left, right = (wire.Channel(reader, writer) for reader, writer in ends)
    yield left, right
    left.close()
    right.close()


def test_a_message_larger_than_any_pipe_arrives_whole(channels: tuple[wire.Channel, wire.Channel]) -> None:
    left, right = channels
    sent = wire.RedactBytes("n.txt", os.urandom(5 << 20), (finding(),))
    writer = threading.Thread(target=left.send, args=(sent,))
    writer.start()
    assert right.receive(REQUESTS) == sent
    writer.join()
    right.send(wire.Failed(wire.Fault.INPUT, "why"))
    assert left.receive(ANSWERS) == wire.Failed(wire.Fault.INPUT, "why")


def test_parts_arrive_as_they_were_cut(channels: tuple[wire.Channel, wire.Channel]) -> None:
    left, right = channels
    parts = [b"", os.urandom(3 << 20), *(os.urandom(number % 70) for number in range(3000)), b""]
    sent = wire.ScanCells((-1,) * len(parts), tuple(map(len, parts)), 1, 0, ())
    writer = threading.Thread(target=lambda: [left.send(sent, parts) for _ in range(2)])
    writer.start()
    for _ in range(2):
        assert right.receive(REQUESTS) == sent
        assert right.receive_parts(sent.sizes) == parts
    writer.join()


def test_an_end_that_is_gone_is_noticed_on_both_sides(channels: tuple[wire.Channel, wire.Channel]) -> None:
    left, right = channels
    left.close()
    with pytest.raises(EOFError):
        right.receive(REQUESTS)
    with pytest.raises(BrokenPipeError):
        right.send(wire.Ready(1))


def test_a_message_that_breaks_off_is_no_message(channels: tuple[wire.Channel, wire.Channel]) -> None:
    left, right = channels
    left._write([(100).to_bytes(8, "big") + b"only this"])
    left.close()
    with pytest.raises(EOFError):
        right.receive(REQUESTS)


def test_what_is_not_of_the_protocol_is_refused(channels: tuple[wire.Channel, wire.Channel]) -> None:
    left, right = channels
    left.send(wire.Ready(1))
    with pytest.raises(msgspec.ValidationError):
        right.receive(REQUESTS)


def test_the_key_of_the_fingerprints_is_not_shown() -> None:
    load = wire.LoadRules(b"keykeykey", {}, {}, None)
    assert "key" not in repr(load)
