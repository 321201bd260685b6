"""First program inside of the sandbox: tries to get out, reports what held, and becomes the kernel when told to.

``python -I -S probe.py FD``. Standard library only, and of that the small modules (see ``stub.py``). ``FD`` is an end of
a socket pair with the provisioner; over it go its orders (their length in a line, then marshalled by the same
interpreter: ``json`` would cost 9 ms), the report in lines, ``go``. A canary *holds* when what it tried was refused.
Nothing of the kernel, not even its environment, is in force before the provisioner has judged the report.
"""

from __future__ import annotations

import _socket
import ctypes
import errno
import marshal
import os
import sys

# `typing` would cost 5 ms; the annotations are never evaluated.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

REFUSED = {errno.EPERM, errno.EACCES, errno.ENOSYS}
"""How the filter program, and a kernel without the call, answer."""

SYSCALLS = {
    "x86_64": {
        "ptrace": 101,
        "unshare": 272,
        "io_uring_setup": 425,
        "clone3": 435,
        "pidfd_getfd": 438,
        "setns": 308,
        "keyctl": 250,
        "bpf": 321,
        "perf_event_open": 298,
        "userfaultfd": 323,
        "open_tree": 428,
        "x32": 0x40000027,
    },
    "aarch64": {
        "ptrace": 117,
        "unshare": 97,
        "io_uring_setup": 425,
        "clone3": 435,
        "pidfd_getfd": 438,
        "setns": 268,
        "keyctl": 219,
        "bpf": 280,
        "perf_event_open": 241,
        "userfaultfd": 282,
        "open_tree": 428,
    },
}
HARMLESS = {
    # Arguments with which each call fails for another reason, if it is let through, and changes nothing.
    "ptrace": (16, 0x7FFFFFF0, 0, 0),
    "unshare": (0x10000000,),
    "io_uring_setup": (0, 0),
    "clone3": (0, 0),
    "pidfd_getfd": (-1, -1, 0),
    "setns": (-1, 0),
    "keyctl": (-1, 0),
    "bpf": (-1, 0, 0),
    "perf_event_open": (0, 0, -1, -1, 0),
    "userfaultfd": (-1,),
    "open_tree": (-1, 0, 0),
    "x32": (),  # the number of getpid, in the other ABI of this processor
}
FAMILIES = {"AF_PACKET": 17, "AF_ALG": 38, "AF_VSOCK": 40, "AF_XDP": 44}
IPPROTO_MPTCP = 262
MSG_FASTOPEN = 0x20000000
PATIENCE = 0.5
"""Seconds for a connection. Inside of an empty network every one is refused at once."""


def main() -> None:
    """Do all of it; never returns."""
    link = _socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(link.fileno(), False)
    lines = os.fdopen(os.dup(link.fileno()), "rb")
    orders = marshal.loads(lines.read(int(lines.readline())))  # noqa: S302 - from the provisioner, before any kernel
    link.sendall(b"begin\n")
    for name, what in Canaries(orders["canaries"]).results():
        line = f"broken {name}: {what}" if what else f"held {name}"
        link.sendall(line.replace("\n", " ").encode(errors="backslashreplace") + b"\n")
    link.sendall(b"end\n")
    if lines.readline() != b"go\n":
        raise SystemExit(0)
    become(orders, link)


def become(orders: dict[str, Any], link: _socket.socket) -> None:
    """Execute the kernel: its end of the pair closes with that, or carries the reason why it did not.

    Of the descriptors it inherits those that are to be kept for it, and no other.
    """
    if os.getsid(0) != os.getpid():
        os.setsid()
    libc = ctypes.CDLL(None)
    for number in (13, 25):  # SIGPIPE and SIGXFSZ, which this interpreter ignores and a kernel would inherit
        libc.signal(number, None)
    for entry in os.listdir("/proc/self/fd"):
        descriptor = int(entry)
        if descriptor > 2 and descriptor not in orders["kept"]:
            try:
                os.set_inheritable(descriptor, False)
            except OSError:
                continue  # the one that the listing itself had open
    try:
        os.makedirs(orders["made"], 0o700, exist_ok=True)
    except OSError:
        orders["made"] = ""  # none, or a kernel before has put something else there
    for folder in (orders["cwd"], orders["env"].get("HOME", "/"), "/"):
        try:
            os.chdir(folder)
            break
        except OSError:
            continue
    try:
        os.execvpe(orders["argv"][0], orders["argv"], orders["env"])
    except OSError as error:
        link.sendall((error.strerror or "unknown").encode())
        os._exit(127)


class Canaries:
    """Everything that is tried. Each gives the empty text if it was refused, or what happened instead."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given
        self._libc = ctypes.CDLL(None, use_errno=True)

    def results(self) -> Iterator[tuple[str, str]]:
        """Name and result of every canary; those of namespaces where there are some."""
        of_namespaces = (self._namespaces, self._network) if self._given["namespaces"] else ()
        for group in (*of_namespaces, self._families, self._calls, self._privileges, self._files):
            yield from group()

    def _namespaces(self) -> Iterator[tuple[str, str]]:
        for name, outside in self._given["namespaces"].items():
            inside = os.stat(f"/proc/self/ns/{name}").st_ino
            yield f"namespace_{name}", "shared with the server" if inside == outside else ""
        with open("/proc/net/dev", encoding="ascii") as file:
            devices = [line.split(":")[0].strip() for line in file if ":" in line]
        yield "devices", "" if devices == ["lo"] else f"{len(devices)} network devices"

    def _network(self) -> Iterator[tuple[str, str]]:
        given, nonce = self._given, self._given["nonce"].encode()
        tcp, udp = ("127.0.0.1", given["tcp"]), ("127.0.0.1", given["udp"])
        yield "tcp", self._connect(_socket.AF_INET, 0, tcp)
        if given.get("tcp6"):
            yield "tcp6", self._connect(_socket.AF_INET6, 0, ("::1", given["tcp6"]))
        yield "mptcp", self._connect(_socket.AF_INET, IPPROTO_MPTCP, tcp)
        yield "abstract_socket", self._connect(_socket.AF_UNIX, 0, b"\0" + given["abstract"].encode())
        yield "path_socket", self._connect(_socket.AF_UNIX, 0, given["path_socket"])
        for name, kind, flag, address in (
            ("tcp_fast_open", _socket.SOCK_STREAM, MSG_FASTOPEN, tcp),
            # Sending always succeeds; the provisioner looks whether anything came.
            ("udp", _socket.SOCK_DGRAM, 0, udp),
        ):
            made = _socket.socket(_socket.AF_INET, kind)
            made.settimeout(PATIENCE)
            try:
                made.sendto(nonce, flag, address)
                yield name, "" if name == "udp" else "sent"
            except OSError:
                yield name, ""
            finally:
                made.close()

    def _connect(self, family: int, protocol: int, address: tuple[str, int] | str | bytes) -> str:
        try:
            made = _socket.socket(family, _socket.SOCK_STREAM, protocol)
        except OSError:
            return ""
        try:
            made.settimeout(PATIENCE)
            made.connect(address)
        except OSError:
            return ""
        finally:
            made.close()
        return "connected"

    def _families(self) -> Iterator[tuple[str, str]]:
        for name, number in FAMILIES.items():
            try:
                _socket.socket(number, _socket.SOCK_RAW if name == "AF_PACKET" else _socket.SOCK_STREAM).close()
            except OSError:
                yield name, ""
            else:
                yield name, "created"

    def _calls(self) -> Iterator[tuple[str, str]]:
        for name, number in SYSCALLS.get(os.uname().machine, {}).items():
            self._libc.syscall.restype = ctypes.c_long
            answer = self._libc.syscall(number, *(ctypes.c_long(each) for each in HARMLESS[name]))
            yield name, "" if answer == -1 and ctypes.get_errno() in REFUSED else "not refused"
        answer = self._libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)
        yield "mount", "" if answer == -1 else "mounted"

    def _privileges(self) -> Iterator[tuple[str, str]]:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        held = [name for name in self._given["capabilities"] if int(status[name], 16)]
        yield "capabilities", ", ".join(held)
        yield "no_new_privileges", "" if status["NoNewPrivs"].strip() == "1" else "not set"
        yield "filter_program", "" if status["Seccomp"].strip() == "2" else "not loaded"

    def _files(self) -> Iterator[tuple[str, str]]:
        for folder, device in self._given["unwritable"]:
            path = os.path.join(folder, f".qguard-{self._given['nonce']}")
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except OSError:
                yield f"write {folder}", ""
                continue
            # A folder of the sandbox's own in the same place is another file system.
            outside = os.fstat(descriptor).st_dev == device
            os.close(descriptor)
            os.unlink(path)
            yield f"write {folder}", "written" if outside else ""
        for path in self._given["unreadable"]:
            try:
                os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            except OSError:
                yield f"read {path}", ""
            else:
                yield f"read {path}", "opened"


if __name__ == "__main__":
    main()
