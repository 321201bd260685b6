"""Starts one kernel in the sandbox, step by step; blocking, to be called in a thread.

Stub, listeners, gateway, bubblewrap, probe, judgement, record, kernel: in this order, and nothing of a step that failed
is left.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import secrets
import signal
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from jupyter_qguard.errors import UsageError
from jupyter_qguard.gateway.control import MAX_DESCRIPTORS, Door, DoorKind, OpenDoors, RecordStart
from jupyter_qguard.policy.model import Tier
from jupyter_qguard.sandbox.companion import with_companion
from jupyter_qguard.sandbox.errors import CanaryError, ReplacedError, SandboxUnavailableError
from jupyter_qguard.sandbox.layout import kind_of
from jupyter_qguard.sandbox.mounted import misplaced
from jupyter_qguard.sandbox.mounts import bwrap_arguments
from jupyter_qguard.sandbox.output import RawOutput
from jupyter_qguard.sandbox.programs import BARE, filter_pipe, find_bwrap, python_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jupyter_qguard.sandbox.bait import Bait
    from jupyter_qguard.sandbox.lasting import LastingThread
    from jupyter_qguard.sandbox.mounts import Layout
    from jupyter_qguard.sandbox.owner import Owner
    from jupyter_qguard.sandbox.tcp import Bridge
    from jupyter_qguard.sandbox.trust import Trust

PATIENCE = 20.0
"""Seconds for each step. All together take less than a tenth of one on an idle machine."""
PROXY = "http://127.0.0.1:3128"
_TRIES = 3
"""Each finds anew what lies where."""
_GONE = (
    "No such file or directory",
    "Not a directory",
    "Is a directory",
    "File exists",
    "Too many levels of symbolic links",
)
"""How bubblewrap's complaint ends where a place is no longer what it was a moment ago."""
_HELP = {
    "namespaces": "user namespaces are denied or used up (`sysctl user.max_user_namespaces`, a container's profile)",
    "identity": "user namespaces are restricted",
    "loopback": "AppArmor takes the capabilities of user namespaces away (`kernel.apparmor_restrict_unprivileged_userns`)",
    "mounts": "mounts cannot be parted from those of the machine",
    "listeners": "a listener could not be made",
}
"""Step of the stub to what it means."""
_REPLACED = (
    "{} was replaced while the kernel was starting, each time that it was tried, so it was not started. If this repeats, "
    "end the other kernels: one of them tries to get out."
)
_CREDENTIALS = struct.Struct("3i")

Pair: TypeAlias = tuple[socket.socket, socket.socket]
"""Our end, and theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What is to be started."""

    kernel: str
    kernelspec: str
    notebook: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    cwd: str
    layout: Layout
    ports: Sequence[int]
    """For which a direct listener is wanted."""
    library: Path | None = None
    """Where an IPython kernel imports the guard's part from; None for a kernel that gets none."""
    unwritable: Sequence[Path]
    unreadable: Sequence[Path]
    made: str = ""
    """A folder that is made, inside, before the kernel starts: Python does not look again for one that was missing."""
    trust: Trust | None = None
    """The certificates that its clients trust, where something is brokered."""
    bridge: Bridge | None = None
    """For a kernel that may know TCP alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A kernel that runs."""

    process: subprocess.Popen[bytes]
    leader: int
    """Process id, as seen here, of the kernel: it leads a session and a group of its own."""
    tier: Tier
    enforced: tuple[str, ...]
    output: RawOutput


def launch(start: Start, owner: Owner, bait: Bait, starter: LastingThread) -> Launched:
    """Start a kernel in tier *netns*.

    Where something that is mounted was replaced meanwhile, which git and package managers do too, a few times anew.

    Raises
    ------
    SandboxUnavailableError
        This machine does not give what the tier needs.
    CanaryError
        The sandbox has a hole.
    ReplacedError
        What is mounted was replaced each time.
    GatewayError
        The gateway did not take the kernel.
    """
    for _ in range(_TRIES - 1):
        with contextlib.suppress(ReplacedError):
            return _launch_once(start, owner, bait, starter)
    return _launch_once(start, owner, bait, starter)


def _launch_once(start: Start, owner: Owner, bait: Bait, starter: LastingThread) -> Launched:
    with contextlib.ExitStack() as stack:
        stub, theirs = pair(stack, socket.SOCK_SEQPACKET)
        probe, inside = pair(stack, socket.SOCK_STREAM)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        talk = pair(stack, socket.SOCK_SEQPACKET) if start.library else None
        filter_end = filter_pipe(stack)
        arguments = bwrap_arguments(start.layout, kind_of)
        command = [
            *python_command("stub.py", theirs.fileno()),
            *(",".join(map(str, start.ports[: MAX_DESCRIPTORS - 5])), *_bridge(start.bridge), "--", find_bwrap()),
            *(*arguments, "--seccomp", str(filter_end), "--"),
            *python_command("probe.py", inside.fileno()),
        ]
        output = RawOutput()
        try:
            passed = (theirs.fileno(), inside.fileno(), filter_end, *descriptor(talk))
            process = starter.call(lambda: start_program(command, passed, output))
        finally:
            output.close_writer()
        stack.callback(end, process)
        theirs.close()
        inside.close()
        stack.callback(owner.close_doors, start.kernel)
        _hand_doors(start, owner, stub, output, talk)
        if start.trust is not None:
            start.trust.write(owner.certificate(start.kernel))
        stub.send(b"go")
        nonce = secrets.token_hex(16)
        given = bait.orders(nonce, start.unwritable, start.unreadable)
        orders = {
            **program_of(start, Tier.NETNS, talk),
            "cwd": start.cwd,
            "made": start.made,
            "canaries": given,
            "kept": descriptor(talk),
        }
        leader, held = judge(probe, [orders], output, caught=lambda: bait.caught(nonce))
        _look_at_mounts(arguments, leader)
        launched = Launched(process=process, leader=leader, tier=Tier.NETNS, enforced=held, output=output)
        record_and_run(start, owner, probe, launched)
        stub.close()
        probe.close()
        for each in talk or ():
            each.close()  # the owner keeps the gateway's, the kernel has its own
        stack.pop_all()
    return launched


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and all of its group, and wait for it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def pair(stack: contextlib.ExitStack, kind: socket.SocketKind) -> Pair:
    """Our end and theirs, both closed with *stack*."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    ours.settimeout(PATIENCE)
    stack.callback(ours.close)
    stack.callback(theirs.close)
    return ours, theirs


def start_program(command: list[str], passed: tuple[int, ...], output: RawOutput) -> subprocess.Popen[bytes]:
    """Start *command* in a session of its own, with the descriptors *passed* and nothing of this process's environment."""
    return subprocess.Popen(  # noqa: S603
        command,
        pass_fds=passed,
        stdin=subprocess.DEVNULL,
        stdout=output.writer,
        stderr=output.writer,
        cwd="/",
        env=BARE,
        start_new_session=True,
    )


def _bridge(bridge: Bridge | None) -> Sequence[str]:
    return python_command("bridge.py", *bridge.arguments) if bridge else ()


def descriptor(talk: Pair | None) -> tuple[int, ...]:
    """The descriptor of the kernel's end, if there is one."""
    return (talk[1].fileno(),) if talk else ()


def program_of(start: Start, tier: Tier, talk: Pair | None) -> dict[str, Any]:
    """What the probe executes."""
    argv, environment = list(start.argv), dict(start.environment)
    if start.library and talk:
        argv, environment = with_companion(argv, environment, start.library, talk[1].fileno(), tier)
    return {"argv": argv, "env": environment}


def _hand_doors(start: Start, owner: Owner, stub: socket.socket, output: RawOutput, talk: Pair | None) -> None:
    """Take the listeners from the stub and have the gateway serve them, and the control channel."""
    try:
        packet, descriptors, _, _ = socket.recv_fds(stub, 65536, MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    except OSError:
        packet, descriptors = b"", []
    try:
        word, *lines = packet.decode().split("\n")
        if word == "failed":
            step, reason = lines
            raise SandboxUnavailableError(f"{_HELP.get(step, step)}: {reason}; `qguard doctor` says what to do")
        if word != "doors" or len(lines) != len(descriptors):
            raise SandboxUnavailableError(f"the network of a kernel could not be made: {output.said()}")
        doors = [Door(DoorKind(kind), int(port)) for kind, port in (line.split() for line in lines)]
        doors += [Door(DoorKind.CONTROL)] if talk else []
        channel = [talk[0].fileno()] if talk else []
        opened = OpenDoors(request=0, kernel=start.kernel, doors=tuple(doors), notebook=start.notebook, tier=Tier.NETNS)
        owner.open_doors(opened, [*descriptors, *channel]).result(PATIENCE)
    finally:
        for number in descriptors:
            os.close(number)


def judge(
    probe: socket.socket, orders: Sequence[dict[str, Any]], output: RawOutput, *, caught: Callable[[], bool]
) -> tuple[int, tuple[str, ...]]:
    """The kernel's process id, and what held. The report comes with the sender's id, translated by Linux.

    Each of *orders* is for one of the programs that become each other until the kernel runs.
    """
    text, leader = b"", 0
    try:
        for packed in map(marshal.dumps, orders):
            probe.sendall(b"%d\n" % len(packed) + packed)
        while not text.endswith(b"end\n"):
            part, beside, _, _ = probe.recvmsg(65536, socket.CMSG_SPACE(_CREDENTIALS.size))
            if not part:
                raise ConnectionError
            text += part
            for level, kind, data in beside:
                if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                    leader = _CREDENTIALS.unpack(data[: _CREDENTIALS.size])[0]
    except OSError as error:
        if text:
            raise CanaryError(
                "the sandbox could not be proved, so the kernel was not started: the probe ended"
            ) from error
        said, line = output.said(), output.line()
        if line.startswith("bwrap: Can't") and line.endswith(_GONE):
            # No weakness of the machine, for which a weaker tier may be taken: a kernel could bring that about.
            raise ReplacedError(_REPLACED.format(f"a file or folder ({said})")) from error
        raise SandboxUnavailableError(f"the sandbox could not be made: {said}") from error
    lines = text.decode().splitlines()
    if fails := [line.removeprefix("fails ") for line in lines if line.startswith("fails ")]:
        raise SandboxUnavailableError(
            f"kernels would not be confined here ({'; '.join(fails)}): the pod's network must let out to the proxy of "
            "`egress.upstream_proxy` alone, and that to the allowlist alone"
        )
    broken = [line.removeprefix("broken ") for line in lines if line.startswith("broken ")]
    broken += ["udp: arrived outside"] if caught() else []
    if broken or not leader:
        raise CanaryError(
            f"the sandbox has a hole, so the kernel was not started ({'; '.join(broken) or 'no process id'}). "
            "Please report this. The log of the server names the version."
        )
    return leader, tuple(line.removeprefix("held ") for line in lines if line.startswith("held "))


def _look_at_mounts(arguments: Sequence[str], leader: int) -> None:
    """Raise where a mount lies elsewhere than it should."""
    try:
        found = misplaced(arguments, Path(f"/proc/{leader}/mountinfo").read_bytes())
    except OSError as error:
        raise CanaryError("the mounts of the sandbox could not be read, so the kernel was not started") from error
    if found:
        raise ReplacedError(_REPLACED.format(f"`{found[0]}`"))


def record_and_run(start: Start, owner: Owner, probe: socket.socket, launched: Launched) -> None:
    """What comes last: the record that a kernel runs, and then the kernel."""
    started = RecordStart(
        request=0,
        kernel=start.kernel,
        kernelspec=start.kernelspec,
        tier=launched.tier,
        enforced=launched.enforced,
        notebook=start.notebook,
    )
    owner.record_start(started).result(PATIENCE)
    if start.library:
        launched.output.keep_the_last()
    else:
        launched.output.drop_from_now()
    _let_run(probe, start.argv[0])


def _let_run(probe: socket.socket, program: str) -> None:
    """Have the probe become the kernel. Its end closes when it did."""
    probe.sendall(b"go\n")
    try:
        answer = probe.recv(4096)
    except ConnectionResetError:
        answer = b""
    if answer:
        reason = answer.decode()
        raise UsageError(
            f"The kernel was not started: `{Path(program).name}`, the program of its kernelspec, could not be executed in "
            f"the sandbox ({reason}). Programs in temporary folders are out of a kernel's sight."
        )
