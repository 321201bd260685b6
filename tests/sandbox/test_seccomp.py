"""The filter of system calls: what the program says, against a specification in plain Python, and in Linux itself."""

from __future__ import annotations

import platform
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.sandbox import seccomp
from jupyter_qguard.sandbox.errors import MachineError
from jupyter_qguard.sandbox.seccomp import MACHINES, filter_program, refused_numbers
from tests.sandbox.bpf import Call, verdict

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
PROGRAMS = {name: filter_program(name) for name in MACHINES}
HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"),
    "aarch64": ("/usr/include/asm-generic/unistd.h",),
}

machines = st.sampled_from(sorted(MACHINES))
words = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 300), st.sampled_from(seccomp.TERMINAL_REQUESTS))
arguments = st.lists(st.one_of(words, words.map(lambda word: word | 1 << 32)), min_size=6, max_size=6).map(tuple)


def expected(name: str, call: Call) -> int:
    """What the program must say."""
    machine = MACHINES[name]
    arguments = tuple(argument & 0xFFFFFFFF for argument in call.arguments[:3])
    if call.architecture != machine.architecture:
        return KILL
    if call.number >= 1 << 30 and name == "x86_64":
        return EPERM
    if call.number > 469 or call.number == 435:
        return ENOSYS
    return EPERM if call.number in refused_numbers(machine).values() else by_arguments(machine, call.number, arguments)


def by_arguments(machine, number: int, arguments: tuple[int, ...]) -> int:
    first, second, third = arguments
    if number == machine.clone:
        return EPERM if first & 0x7E020000 else ALLOW
    if number == machine.socketpair:
        return ALLOW if first == 1 else EPERM
    if number == machine.ioctl:
        return EPERM if second in (0x5412, 0x541C, 0x5423) else ALLOW
    if number == machine.socket and first != 1:
        plain = first in (2, 10) and second & 15 in (1, 2) and third in (0, 6, 17)
        return ALLOW if plain or (first == 16 and third == 0) else EPERM
    return ALLOW


@given(machines, st.data(), arguments)
def test_the_program_says_what_the_specification_says(name, data, values):
    machine = MACHINES[name]
    special = [machine.clone, machine.socket, machine.socketpair, machine.ioctl, 435, 469, 470, 2**30, 2**30 - 1]
    numbers = st.one_of(st.integers(0, 480), st.integers(0, 2**32 - 1), st.sampled_from(special))
    architecture = data.draw(
        st.sampled_from([machine.architecture, machine.architecture, 0x40000003, 0x40000028, 0, 2**32 - 1])
    )
    call = Call(data.draw(numbers), values, architecture)
    assert verdict(PROGRAMS[name], call) == expected(name, call)


@pytest.mark.parametrize("name", MACHINES)
def test_every_number_is_as_specified(name):
    machine = MACHINES[name]
    calls = [(number, (2, 1, 0)) for number in (*range(700), *range(2**30, 2**30 + 700), 2**32 - 1)]
    for number in (machine.clone, machine.socket, machine.socketpair, machine.ioctl):
        for first in (0, 1, 2, 10, 16, 17, 40, 1 << 28, (1 << 32) + 2):
            for second in (0, 1, 2, 3, 5, 2 | 0o2000000, 0x5412, 0x5412 | 1 << 32):
                calls += [(number, (first, second, third)) for third in (0, 6, 17, 1, 58, 262, 255, 132)]
    for number, values in calls:
        call = Call(number, values, machine.architecture)
        assert verdict(PROGRAMS[name], call) == expected(name, call)


@pytest.mark.parametrize("name", MACHINES)
def test_linux_would_load_it(name):
    """At most 4096 instructions, no jump out of it, a verdict at its end."""
    code = list(struct.iter_unpack("=HBBI", PROGRAMS[name]))
    assert len(code) < 4096
    for at, (operation, yes, no, operand) in enumerate(code):
        assert at + 1 + max(yes, no, operand if operation == 0x05 else 0) <= len(code) - 1 or operation == 0x06
    assert code[-1][0] == 0x06


@pytest.mark.parametrize("name", MACHINES)
def test_the_numbers_are_those_of_linux(name):
    header = next((Path(path) for path in HEADERS[name] if Path(path).exists()), None)
    if header is None:
        pytest.skip("the headers of the C library are not installed")
    found = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
    machine = MACHINES[name]
    ours = {
        **refused_numbers(machine),
        **{call: getattr(machine, call) for call in ("clone", "clone3", "socket", "socketpair", "ioctl")},
    }
    known = {call: number for call, number in ours.items() if call in found}
    assert len(known) > 45
    assert known == {call: int(found[call]) for call in known}


def test_a_processor_without_a_table_is_refused():
    with pytest.raises(MachineError, match="x86_64"):
        filter_program("riscv64")


def test_every_reason_has_calls():
    for reason, calls in seccomp.REFUSED.items():
        assert reason
        assert all(re.fullmatch(r"\w+ (\d+) (\d+|-)", call) for call in calls.split(", "))


CHILD = """
import ctypes, errno, json, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
program = bytes.fromhex(sys.stdin.readline())
buffer = ctypes.create_string_buffer(program, len(program))
fprog = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
load = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
if len(sys.argv) > 1:
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.syscall(load, 1, 0, fprog) == 0, ctypes.get_errno()
def call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_ulong(a) for a in arguments))
    return ctypes.get_errno() if result == -1 else 0
for line in sys.stdin:
    print(call(*json.loads(line)), flush=True)
"""


def run(calls: list[list[int]], *, guarded: bool = True, code: str = CHILD) -> list[int]:
    """The error numbers of system calls in a child."""
    text = "\n".join([PROGRAMS[platform.machine()].hex(), *(str(call) for call in calls)])
    command = [sys.executable, "-c", code, *(["guarded"] if guarded else [])]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=60)
    return [int(line) for line in done.stdout.split()]


def test_linux_refuses_every_call_of_the_table():
    numbers = refused_numbers(MACHINES[platform.machine()])
    assert run([[number] for number in numbers.values()]) == [1] * len(numbers)


def test_linux_refuses_by_arguments_and_the_same_calls_are_possible_without_the_filter():
    machine = MACHINES[platform.machine()]
    vsock, packet, mptcp, ping = [40, 1, 0], [17, 3, 0], [2, 1, 262], [2, 2, 1]
    refused = [[machine.socket, *rest] for rest in (vsock, packet, mptcp, ping, [2, 3, 1], [16, 3, 4], [38, 5, 0])]
    refused += [[machine.clone, 0x10000000 | 17, 0, 0, 0, 0], [machine.socketpair, 30, 1, 0, 0]]
    refused += [[machine.ioctl, 0, request | high] for request in (0x5412, 0x541C, 0x5423) for high in (0, 1 << 32)]
    assert run(refused) == [1] * len(refused)
    # Proof that Linux drops the upper half: without the filter the request is the same one, for what is no terminal.
    free = run([[machine.ioctl, 0, 0x5412], [machine.ioctl, 0, 0x5412 | 1 << 32], [435, 0, 0]], guarded=False)
    assert free[0] == free[1] != 1
    assert free[2] != 38
    assert run([[435, 0, 0], [470, 0], [2000, 0]]) == [38] * 3


def test_linux_allows_what_a_notebook_needs():
    code = (
        CHILD.split("def call", maxsplit=1)[0]
        + """
import asyncio, multiprocessing, pty, socket, subprocess, threading
async def echo():
    async def serve(reader, writer):
        writer.write(await reader.read(2)); await writer.drain(); writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"ok"); data = await reader.read(2); writer.close(); server.close()
    return data
print(int(asyncio.run(echo()) == b"ok"))
a, b = socket.socketpair(); a.send(b"x"); print(int(b.recv(1) == b"x"))
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC); udp.close(); print(1)
socket.if_nameindex(); socket.getaddrinfo("localhost", 80); print(1)
print(int(subprocess.run(["sh", "-c", "exit 3"]).returncode == 3))
thread = threading.Thread(target=print, args=(1,)); thread.start(); thread.join()
with multiprocessing.get_context("fork").Pool(2) as pool: print(int(pool.map(abs, [-1, -2]) == [1, 2]))
pid, fd = pty.fork()
if not pid: os._exit(0)
os.waitpid(pid, 0); print(1)
"""
    )
    assert run([], code=code) == [1] * 8


@pytest.mark.skipif(platform.machine() != "x86_64", reason="i386 and x32 are calls of x86-64")
def test_a_call_by_the_32_bit_gate_kills_and_an_x32_number_is_refused():
    machine_code = bytes.fromhex("b814000000cd80c3")  # mov eax, 20 (getpid of i386); int 0x80; ret
    code = (
        CHILD.split("def call", maxsplit=1)[0]
        + f"""
import mmap
page = mmap.mmap(-1, 4096, prot=7); page.write({machine_code!r})
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
os._exit(7)
"""
    )
    command = [sys.executable, "-c", code]
    for arguments, status in ((["guarded"], -31), ([], 7)):
        done = subprocess.run(
            [*command, *arguments], input=PROGRAMS["x86_64"].hex(), text=True, check=False, timeout=60
        )
        assert done.returncode == status
    assert run([[0x40000000 | 39]]) == [1]
