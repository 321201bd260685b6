"""Tries below Python and at the guard itself: memory, processes, files, cores, and its control channel spoken by hand."""

from __future__ import annotations

_EVERY_PROCESS = "for p in sorted(p for p in os.listdir('/proc') if p.isdigit()):\n"
_TRIED = "    try: {}\n    except OSError as e: print(p, e)\n"
_LIBC = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
_KEY_LIKE = "import re\nlike = re.compile(rb'(?<![0-9A-Za-z])[0-9A-Za-z]{32}(?:[0-9A-Za-z]{12})?(?![0-9A-Za-z])')\n"

MACHINE: dict[str, tuple[str, bool]] = {
    "environments": (_EVERY_PROCESS + _TRIED.format("print(p, open(f'/proc/{p}/environ').read())") + "print(KEY)", True),
    "command lines": (_EVERY_PROCESS + _TRIED.format("print(p, open(f'/proc/{p}/cmdline').read())"), False),
    "descriptors": (
        _EVERY_PROCESS + "    try: print(p, [os.readlink(f'/proc/{p}/fd/{n}') for n in os.listdir(f'/proc/{p}/fd')])\n"
        "    except OSError as e: print(p, e)\n",
        False,
    ),
    "maps": ("print(open('/proc/self/maps').read(), open('/proc/1/maps').read())", False),
    "own memory": (
        _KEY_LIKE + "found = set()\nwith open('/proc/self/mem', 'rb', 0) as memory:\n"
        "    for line in open('/proc/self/maps'):\n"
        "        span, mode = line.split()[:2]\n"
        "        first, last = (int(n, 16) for n in span.split('-'))\n"
        "        if mode.startswith('rw') and last - first < 32_000_000:\n"
        "            try: found |= set(like.findall(os.pread(memory.fileno(), last - first, first)))\n"
        "            except (OSError, OverflowError, MemoryError): pass\n"
        "print(found)",
        True,
    ),
    "objects": (
        ("import gc\nseen = [o for o in gc.get_objects() if isinstance(o, dict)]\n"
        "print({v for d in seen for v in list(d.values()) if isinstance(v, str) and len(v) in (32, 44)})"),
        True,
    ),
    "frames": ("print([{k: str(v)[:99] for k, v in f.f_locals.items()} for f in sys._current_frames().values()], KEY)", True),
    "strings": (
        _LIBC + "print(ctypes.string_at(id(KEY), sys.getsizeof(KEY)), ctypes.string_at(libc.environ if 0 else id(KEY), 90))",
        True,
    ),
    "getenv": (_LIBC + "libc.getenv.restype = ctypes.c_char_p\nprint(libc.getenv(b'IONQ_API_KEY'))", True),
    "memory of others": (
        _EVERY_PROCESS + _TRIED.format("print(p, len(open(f'/proc/{p}/mem', 'rb', 0).read(1)))"),
        False,
    ),
    "process_vm_readv": (
        _LIBC + "room = ctypes.create_string_buffer(4096)\n"
        "class Span(ctypes.Structure): _fields_ = [('at', ctypes.c_void_p), ('size', ctypes.c_size_t)]\n"
        "mine = Span(ctypes.addressof(room), 4096)\n"
        "for pid in [os.getppid(), *range(1, 300)]:\n"
        "    if pid != os.getpid():\n"
        "        theirs = Span(0x7ffffffde000, 4096)\n"
        "        got = libc.process_vm_readv(pid, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0)\n"
        "        if got > 0: print(pid, got, room.raw)\n",
        False,
    ),
    "ptrace": (
        _LIBC + "print([(p, libc.ptrace(16, p, 0, 0), ctypes.get_errno()) for p in [os.getppid(), *range(1, 300)] if p != os.getpid()])",
        False,
    ),
    "pidfd_getfd": (
        _LIBC + "found = []\nfor pid in range(1, 60):\n    end = libc.syscall(434, pid, 0)\n"
        "    if end >= 0:\n        found += [(pid, n, libc.syscall(438, end, n, 0)) for n in range(12) if pid != os.getpid()]\n"
        "print(found)",
        False,
    ),
    "core": (
        ("import resource, signal\nresource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)\n"
        "print(subprocess.run([sys.executable, '-c', 'import os; os.abort()']).returncode)\n"
        "print(os.listdir('.'), open('/proc/sys/kernel/core_pattern').read(), resource.getrlimit(resource.RLIMIT_CORE))"),
        False,
    ),
    "home": (
        ("for folder, _, names in os.walk(pathlib.Path.home()):\n"
        "    for name in names:\n"
        "        try: print(name, open(os.path.join(folder, name), 'rb').read(20000))\n"
        "        except OSError as e: print(e)\n"),
        True,
    ),
    "the guard's folders": (
        ("for place in ('.local/share/jupyter-qguard', '.local/state/jupyter-qguard', '.config/jupyter-qguard'):\n"
        "    for folder, _, names in os.walk(pathlib.Path.home() / place):\n"
        "        print(folder, names)\n"
        "        for name in names:\n"
        "            try: print(open(os.path.join(folder, name), 'rb').read())\n"
        "            except OSError as e: print(e)\n"),
        False,
    ),
    "runtime": ("from jupyter_core.paths import jupyter_runtime_dir as d\nfor p in pathlib.Path(d()).glob('*'): print(p)", False),
    "connection file": ("from ipykernel.connect import get_connection_info\nprint(get_connection_info(), sys.argv)", False),
    "history file": ("import sqlite3\nprint(get_ipython().history_manager.hist_file, list(get_ipython().history_manager.db.iterdump()))", False),
    "keyring": ("try:\n    import keyring\n    print(keyring.get_keyring(), [keyring.get_password(s, 'ionq') for s in ('jupyter-qguard', 'qguard', 'ionq')])\nexcept Exception as e: print(e)", False),
    "vault by the guard's own code": (
        ("try:\n    from jupyter_qguard.vault import Vaults\n    from jupyter_qguard.policy.vaults import VaultsPolicy\n"
        "    s = Vaults(VaultsPolicy(), os.environ, pathlib.Path.home()).source('local')\n"
        "    print(s.paths(), {k: v.reveal() for k, v in s.read('ionq').fields.items()})\nexcept BaseException as e: print(type(e), e)"),
        False,
    ),
    "vault by the command": ("print(subprocess.run(['qguard', 'vault', 'show', 'local://ionq'], capture_output=True), subprocess.run([sys.executable, '-m', 'jupyter_qguard.cli', 'vault', 'list'], capture_output=True))", False),
    "certificate authority": (
        ("for name in ('SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'AWS_CA_BUNDLE', 'CURL_CA_BUNDLE'):\n"
        "    print(name, open(os.environ[name]).read())\n"
        "for folder, _, names in os.walk(os.path.dirname(os.environ['SSL_CERT_FILE'])):\n"
        "    print([(n, b'PRIVATE KEY' in open(os.path.join(folder, n), 'rb').read()) for n in names if os.path.isfile(os.path.join(folder, n))])"),
        False,
    ),
    "sockets of the gateway": ("print(open('/proc/net/unix').read(), open('/proc/net/tcp').read())", False),
    "a gateway of one's own": ("print(subprocess.run([sys.executable, '-m', 'jupyter_qguard.gateway', '--control', '0'], capture_output=True, stdin=subprocess.DEVNULL))", False),
}  # fmt: skip

_SPOKEN = """
import json, socket, time
from jupyter_qguard.kernel import channel
end = channel.the_channel()._end
def spoken(*packets):
    for packet in packets:
        end.send(packet if isinstance(packet, bytes) else json.dumps(packet).encode())
    time.sleep(0.05)
    got = []
    while True:
        try: got.append(end.recv(65536))
        except OSError: break
    print(got)
"""
"""The lease of a request that is spoken here stands in the answer: with the guard taken out, with the key in it."""


def _spoken(*packets: object) -> str:
    return _SPOKEN + f"spoken(*{list(packets)!r})"


def _asked(number: int, operation: str, **fields: object) -> dict[str, object]:
    return {"v": 1, "id": number, "op": operation, **fields}


CONTROL: dict[str, tuple[str, bool]] = {
    "the lease once more": ("from jupyter_qguard.kernel import channel\nprint(channel.the_channel().ask('use', name='ionq/dev'))", True),
    "its packet once more": (_spoken(_asked(900, "use", name="ionq/dev"), _asked(900, "use", name="ionq/dev")).replace("0.05", "1"), True),
    "status": ("from jupyter_qguard.kernel import status\nprint(status())", False),
    "explain a secret": (_spoken(_asked(901, "explain", host="local://ionq")), False),
    "use a secret": (_spoken(_asked(902, "use", name="local://ionq")), False),
    "use a path": (_spoken(_asked(903, "use", name="../ionq/dev"), _asked(904, "use", name="ionq/dev\n")), False),
    "reveal": (_spoken(*(_asked(905 + n, op, name="ionq/dev") for n, op in enumerate(("reveal", "secret", "lease", "value", "vault")))), False),
    "another kernel's name": (_spoken(_asked(920, "use", name="ionq/dev", kernel="other"), _asked(921, "status", kernel="other")), False),
    "custody of its own choice": (_spoken(_asked(922, "use", name="ionq/dev", custody="sealed"), _asked(923, "use", name="ionq/dev", tier="cooperative")), False),
    "the owner's messages": (_spoken(*({"type": kind, "request": 1, "kernel": "k"} for kind in ("welcome", "open_doors", "close_doors", "learned", "vouched", "recall"))), False),
    "numbers": (_spoken(_asked(0, "status"), _asked(-1, "status"), {"v": 2, "id": 930, "op": "use", "name": "ionq/dev"}, {"v": 1, "id": 1e99, "op": "use"}), False),
    "a descriptor": (_SPOKEN + "socket.send_fds(end, [json.dumps({'v': 1, 'id': 940, 'op': 'status'}).encode()], [0, 1])\nspoken()", False),
    "an answer to itself": (_spoken({"v": 1, "id": 941, "answer": {"variables": {}}}, {"v": 1, "event": "refused"}), False),
    "a session": (_spoken(_asked(945, "session", name="ionq/dev"), _asked(946, "session", name="local://ionq")), False),
    "refusals": (_spoken(_asked(942, "refusals")), False),
    "a cell's name": (_spoken(_asked(943, "cell", cell="../../x", trace="0" * 32), _asked(944, "cell", cell="", trace="x")), False),
    "released and spoken of": ("%qguard release ibm/dev\nprint(requests.get('https://quantum.cloud.ibm.com/api/v1/backends', headers={'Authorization': 'Bearer ' + TOKEN}).text)\n%qguard use ibm/dev", False),
    "handles in memory": ("from jupyter_qguard.kernel.commands import use\nprint(use._set)", True),
    "no packets": (_spoken(b"\0" * 900, b"{", b"[" * 60000, b"\xff\xfe"), False),
    "an empty packet": (_spoken(b"", _asked(950, "use", name="ionq/dev")), False),  # the last: it ends the channel
}  # fmt: skip
