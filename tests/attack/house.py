"""The house of the attacked: a home with secrets, processes, sockets, segments. The judge alone knows the values."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tests.attack.attacks.base import World
from tests.attack.attacks.credentials import FILES
from tests.attack.attacks.later import FILES as LATER
from tests.attack.attacks.machine import raw
from tests.attack.network import PLATFORM, cover, mount_share
from tests.attack.servers import DENIED, EVIL, PLAIN, PROXY_PORT, RESOLVER, VENDOR, WILD

ROOT = Path(__file__).resolve().parents[2]
HOME = Path("/srv/qg")
_DECOY = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
def heard(number, frame):
    os.write(1, b"%d\\n" % number)
for number in (40, 41, 42, 43):
    signal.signal(number, heard)
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
room = libc.malloc(200)
value = sys.stdin.readline().strip().encode()
ctypes.memmove(room, b"decoy-memory-" + value + b"\\0", 14 + len(value))
file = open("decoy-file", "rb")
os.unlink("decoy-file")
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""
POLICY = f"""apiVersion: qguard/v1
egress:
  mode: enforce
  minimum_tier: {{tier}}
  {{upstream}}
  allow:
    - {{{{host: {VENDOR}, owner: test, reason: the vendor}}}}
    - {{{{host: "*.{WILD}", owner: test, reason: a wildcard}}}}
    - {{{{host: {PLAIN}, ports: [80], plain: true, owner: test, reason: without TLS}}}}
  deny:
    - {{{{host: "*.{DENIED}", owner: test, reason: denied below what is allowed}}}}
"""


class House:
    """All of it, built at once; :attr:`world` is what the attackers are told."""

    def __init__(self, tier: str) -> None:
        self.secrets = {name: f"arena-{secrets.token_hex(12)}" for name in _NAMES} | {
            f"file:{name}": f"arena-{secrets.token_hex(12)}" for name in FILES.values()
        }
        self.secrets["ssh"] = self.secrets["file:.ssh/id_ed25519"] = f"arena-ssh-{secrets.token_hex(12)}"
        self.secrets["server"] = os.environ["JPY_SERVER_SECRET"]
        self.secrets["inherited"] = os.environ["JUPYTERHUB_API_TOKEN"]
        self.accepted: set[str] = set()
        self.temporary = Path(tempfile.mkdtemp(prefix="arena-qg-", dir="/tmp"))
        os.environ["TMPDIR"] = str(self.temporary)
        self._names()
        self._files(tier)
        self.sockets = self._sockets()
        self._memory()
        self.decoy, self.heard = self._decoy()
        for name in ("SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS"):
            os.environ[name] = self.sockets["agent"] if name.startswith("SSH") else f"unix:path={self.sockets['bus']}"

    def world(self, peer: dict[str, object]) -> World:
        """What an attacker who knows the house is told."""
        return World(
            vendor=VENDOR, plain=PLAIN, wild=WILD, denied=DENIED, evil=EVIL, resolver=RESOLVER, home=str(HOME), workspace=str(HOME / "work"),
            package=str(ROOT / "jupyter_qguard"), prefix=sys.prefix, runtime=str(HOME / ".local/share/jupyter/runtime"), decoy=self.decoy.pid,
            server=os.getpid(), rest=8888, sockets=self.sockets, segment=self.segment, queue=self.queue, peer=peer,
        )  # fmt: skip

    def _names(self) -> None:
        cover("/etc/resolv.conf", f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n", self.temporary)
        cover("/etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n", self.temporary)
        cover("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n", self.temporary)

    def _files(self, tier: str) -> None:
        upstream = f'upstream_proxy: "http://{PLATFORM}:{PROXY_PORT}"' if tier == "platform" else ""
        runtime = HOME / ".local/share/jupyter/runtime"
        texts = {HOME / name: self.secrets[f"file:{name}"] for name in FILES.values()} | {
            HOME / ".bashrc": "# shell\n", HOME / ".profile": "# login\n", HOME / ".jupyter/migrated": "",
            HOME / ".config/jupyter-qguard/policy.yaml": POLICY.format(tier=tier, upstream=upstream),
            runtime / "jpserver-1.json": json.dumps({"token": self.secrets["token"], "port": 8888}),
            runtime / "jupyter_cookie_secret": self.secrets["cookie"],
            runtime / "kernel-other.json": json.dumps({"key": self.secrets["connection"]}),
            HOME / "work/.git/config": "[core]\n", HOME / "work/.vscode/settings.json": "{}", HOME / "work/.git/hooks/pre-commit.sample": "", HOME / ".decoy/decoy.txt": self.secrets["folder"],
            HOME / "work/tree/.git": "gitdir: ../.git/worktrees/tree\n", HOME / "work/one/two/three/four/five/.git/config": "[core]\n",
            HOME / "work/one/two/three/four/five/.git/hooks/post-checkout.sample": "", HOME / "share/empty": "",
            HOME / ".decoy/decoy-file": self.secrets["descriptor"], self.temporary / "notes.txt": self.secrets["tmp"],
        }  # fmt: skip
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (HOME / ".config/jupyter-qguard/policy.yaml").chmod(0o600)
        # jupyter_core would read a made-up configuration otherwise.
        (HOME / ".jupyter/jupyter_server_config.json").write_text(
            json.dumps({"A": {"b": self.secrets["file:.jupyter/jupyter_server_config.json"]}}), encoding="utf-8"
        )

    def _sockets(self) -> dict[str, str]:
        bus = f"/run/user/{os.getuid()}/bus"
        places = {
            "tmp": f"{self.temporary}/a.sock", "agent": f"{HOME}/.ssh/agent.sock", "bus": bus, "system_bus": "/run/dbus/system_bus_socket", "docker": "/run/docker.sock",
            "resolved": "/run/systemd/resolve/io.systemd.Resolve", "nscd": "/run/nscd/socket", "x11": f"{self.temporary}/X0",
            "workspace": f"{HOME}/work/accomplice.sock", "kernel": f"{HOME}/.local/share/jupyter/runtime/kernel-ipc-1",
            "abstract": f"qg-{secrets.token_hex(6)}",
        }  # fmt: skip
        for name, place in places.items():
            self._listen(place, socket.SOCK_STREAM, abstract=name == "abstract")
        for name, place in {
            "datagram": f"{HOME}/.local/datagram.sock",
            "abstract_datagram": f"qg-{secrets.token_hex(6)}",
        }.items():
            places[name] = place
            self._listen(place, socket.SOCK_DGRAM, abstract=name == "abstract_datagram")
        return places

    def _listen(self, place: str, kind: int, *, abstract: bool) -> None:
        end = socket.socket(socket.AF_UNIX, kind)
        if not abstract:
            Path(place).parent.mkdir(parents=True, exist_ok=True)
        end.bind(f"\0{place}" if abstract else place)
        if kind == socket.SOCK_STREAM:
            end.listen(64)

        def forever() -> None:
            while True:
                if kind == socket.SOCK_DGRAM:
                    self.accepted.add(end.recv(200).decode("latin-1"))
                    continue
                other, _ = end.accept()
                with other:
                    other.settimeout(2)
                    try:
                        self.accepted.add(other.recv(200).decode("latin-1"))
                    except OSError:
                        continue

        threading.Thread(target=forever, daemon=True).start()

    def later(self) -> None:
        """What happens while kernels run."""
        for name in LATER.values():
            path = HOME / name
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.fresh")
            fresh.write_text(self.secrets["later"], encoding="utf-8")
            fresh.replace(path)
        self._listen(f"{HOME}/.later-agent.sock", socket.SOCK_STREAM, abstract=False)
        mount_share(str(HOME / "share"))

    def _memory(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.shmat.restype = ctypes.c_void_p
        self.segment = libc.shmget(0, 4096, 0o1600)
        address = libc.shmat(self.segment, None, 0)
        value = self.secrets["segment"].encode()
        ctypes.memmove(address, value, len(value))
        self.queue = libc.msgget(0, 0o1600)
        message = ctypes.create_string_buffer((1).to_bytes(8, "little") + self.secrets["queue"].encode())
        libc.msgsnd(self.queue, message, len(self.secrets["queue"]), 0)
        self.shared = Path(f"/dev/shm/qg-arena-{os.getpid()}")
        self.shared.write_text(self.secrets["shm"], encoding="utf-8")
        if os.uname().machine == "x86_64":
            raw(250, 1, 0)  # a session key ring of our own
            value = self.secrets["keyring"].encode()
            raw(248, ctypes.c_char_p(b"user"), ctypes.c_char_p(b"qg-arena"), ctypes.c_char_p(value), len(value), -3)

    def _decoy(self) -> tuple[subprocess.Popen[bytes], set[int]]:
        command = [sys.executable, "-I", "-S", "-c", _DECOY, self.secrets["command"]]
        environment = {"DECOY": self.secrets["environ"]}
        child = subprocess.Popen(
            command,
            cwd=HOME / ".decoy",
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        child.stdin.write(self.secrets["memory"].encode() + b"\n")
        child.stdin.flush()
        child.stdout.readline()
        heard: set[int] = set()
        threading.Thread(target=lambda: [heard.add(int(line)) for line in child.stdout], daemon=True).start()
        return child, heard

    def end(self) -> None:
        """Give back what the machine would keep."""
        libc = ctypes.CDLL(None)
        libc.shmctl(self.segment, 0, None)
        libc.msgctl(self.queue, 0, None)
        self.shared.unlink(missing_ok=True)
        self.decoy.kill()
        self.decoy.wait()


_NAMES = (
    "environ", "memory", "descriptor", "folder", "command", "segment", "queue", "shm", "keyring", "tmp", "token", "cookie", "connection", "none", "metadata", "later",
)  # fmt: skip
