"""Bytes both ways over real sockets: nothing lost, nothing kept, each half closed by itself."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket

import pytest

from jupyter_qguard.egress.relay import Relay


@contextlib.asynccontextmanager
async def joined(idle=60.0, first=b""):
    """Two clients whose other ends a relay joins."""
    pairs = [socket.socketpair() for _ in range(2)]
    (left, near), (right, far) = pairs
    for each in (left, near, right, far):
        each.setblocking(False)
    task = asyncio.get_running_loop().create_task(Relay(near, far, idle, first).run())
    try:
        yield left, right, task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for each in (left, near, right, far):
            each.close()


async def everything(client):
    received = bytearray()
    while more := await asyncio.get_running_loop().sock_recv(client, 65536):
        received += more
    return bytes(received)


@pytest.mark.parametrize("size", [1, 5, 300_000, 20_000_000])
def test_what_goes_in_comes_out_both_ways_at_once(size):
    async def run():
        data = random.Random(size).randbytes(size)
        async with joined() as (left, right, task):
            loop = asyncio.get_running_loop()

            async def talk(client):
                sending = loop.create_task(loop.sock_sendall(client, data))
                await sending
                client.shutdown(socket.SHUT_WR)

            _, _, one, other = await asyncio.gather(talk(left), talk(right), everything(left), everything(right))
            assert one == other == data
            await asyncio.wait_for(task, 30)

    asyncio.run(run())


def test_one_side_may_be_done_while_the_other_still_speaks():
    async def run():
        async with joined() as (left, right, task):
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(left, b"a request")
            left.shutdown(socket.SHUT_WR)
            assert await everything(right) == b"a request"
            assert not task.done()
            await loop.sock_sendall(right, b"a late answer")
            right.shutdown(socket.SHUT_WR)
            assert await everything(left) == b"a late answer"
            await asyncio.wait_for(task, 30)

    asyncio.run(run())


def test_what_was_received_before_goes_first():
    async def run():
        early = b"early" * 1_000_000
        async with joined(first=early) as (left, right, _):
            await asyncio.get_running_loop().sock_sendall(left, b"late")
            left.shutdown(socket.SHUT_WR)
            assert await everything(right) == early + b"late"

    asyncio.run(run())


def test_a_receiver_that_takes_nothing_stops_the_sender():
    async def run():
        async with joined() as (left, _, _task):
            loop = asyncio.get_running_loop()
            sent = 0
            with contextlib.suppress(asyncio.TimeoutError):
                while sent < 100_000_000:
                    await asyncio.wait_for(loop.sock_sendall(left, bytes(65536)), 0.5)
                    sent += 65536
            assert sent < 4_000_000

    asyncio.run(run())


def test_a_side_that_breaks_off_ends_it():
    async def run():
        async with joined() as (left, right, task):
            right.close()
            await asyncio.get_running_loop().sock_sendall(left, b"to nobody")
            await asyncio.wait_for(task, 30)

    asyncio.run(run())


def test_what_stands_idle_is_ended_and_what_moves_is_not():
    async def run():
        async with joined(idle=0.4) as (left, right, task):
            loop = asyncio.get_running_loop()
            began = loop.time()
            while loop.time() - began < 1.0:
                await loop.sock_sendall(left, b".")
                assert await loop.sock_recv(right, 1) == b"."
                last = loop.time()
                await asyncio.sleep(0.05)
            assert not task.done()
            await asyncio.wait_for(task, 30)
            assert loop.time() - last >= 0.39

    asyncio.run(run())
