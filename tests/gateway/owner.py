"""The owner's side of a real gateway process, with listeners on plain loopback for the doors of a kernel."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import yaml

from jupyter_qguard.egress.credential import digest_of
from jupyter_qguard.gateway import control
from jupyter_qguard.policy.model import Tier

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds for what has to come; a busy machine is slow."""


def wait_for(condition, patience=PATIENCE):
    """What *condition* gives as soon as it is true."""
    end = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(condition)
        time.sleep(0.01)


class Place:
    """Home, policy, names and trail of one test."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.policy_path = folder / "policy.yaml"
        self.names_path = folder / "names.json"
        self.state = folder / "state"
        self.names({})
        self.policy()

    def policy(self, *allow, mode="enforce", deny=(), **egress):
        document = {
            "apiVersion": "qguard/v1",
            "egress": {"mode": mode, "allow": list(allow), "deny": list(deny), **egress},
        }
        self.write_policy(yaml.safe_dump(document))

    def write_policy(self, text):
        fresh = self.policy_path.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.policy_path)

    def names(self, names):
        fresh = self.names_path.with_suffix(".new")
        fresh.write_text(json.dumps(names), encoding="utf-8")
        fresh.replace(self.names_path)

    def records(self, kind="egress.decided"):
        lines = []
        for path in sorted((self.state / "jupyter-qguard" / "audit").glob("audit-*.jsonl")):
            lines += path.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines]
        return [each for each in found if each["type"] == kind]


def entry(host, port, **more):
    """An allowlist entry for a stand-in on loopback."""
    return {
        "host": host,
        "ports": [port],
        "addresses": ["127.0.0.0/8", "::1/128"],
        "owner": "tests",
        "reason": "a stand-in",
        **more,
    }


class Owner:
    """Starts a gateway and speaks to it."""

    def __init__(self, place: Place):
        self.place = place
        self.messages: queue.Queue = queue.Queue()
        self.told: list = []
        self._requests = 0
        self.start()

    def start(self):
        mine, theirs = control.make_pair()
        environ = {
            **os.environ,
            "HOME": str(self.place.folder),
            "QGUARD_POLICY": str(self.place.policy_path),
            "XDG_STATE_HOME": str(self.place.state),
        }
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.gateway.entry", self.place.names_path, "--control", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
                env=environ,
                stderr=subprocess.PIPE,
            )
        self.end = mine
        self._reader = threading.Thread(target=self._read, args=(mine,))
        self._reader.start()
        self.said = b""
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()
        control.send_message(mine, control.Welcome(user="ada", groups=("quantum",)))
        self.ready = self.expect(control.Ready)

    def _listen(self):
        for line in self.process.stderr:
            self.said += line

    def _read(self, end):
        decoder = msgspec.json.Decoder(control.ToOwner)
        while True:
            try:
                message, _ = control.receive_message(end, decoder)
            except (EOFError, OSError):
                return
            self.told.append(message)
            self.messages.put(message)

    def authority_of(self, kernel):
        """The certificate that a kernel is to trust."""
        (made,) = [each for each in self.told if isinstance(each, control.Vouched) and each.kernel == kernel]
        return made.authority[made.authority.index("-----BEGIN CERTIFICATE") :]

    def expect(self, kind, patience=PATIENCE, **fields):
        """The next message of *kind* that says *fields*; others are passed over."""
        end = time.monotonic() + patience
        while True:
            message = self.messages.get(timeout=max(0.0, end - time.monotonic()))
            if isinstance(message, kind) and all(getattr(message, name) == value for name, value in fields.items()):
                return message

    def ask(self, message_kind, descriptors=(), **fields):
        """Send a message that is answered, and give the answer."""
        self._requests += 1
        control.send_message(self.end, message_kind(request=self._requests, **fields), descriptors)
        return self.expect((control.Done, control.Failed), request=self._requests)

    def stop(self):
        """Close the owner's end, and wait until the gateway has gone."""
        self.end.shutdown(socket.SHUT_RDWR)
        self.process.wait(PATIENCE)
        self._settle()
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        self._settle()

    def _settle(self):
        self._reader.join(PATIENCE)
        self._listener.join(PATIENCE)
        self.process.stderr.close()
        self.end.close()


class KernelDoors:
    """Listeners as a kernel's network would have them."""

    def __init__(
        self, owner: Owner, kernel="kernel-1", *, direct_ports=(), notebook="work.ipynb", password="", tier=Tier.NETNS
    ):
        self.owner, self.kernel, self.password = owner, kernel, password
        self.proxy = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.names.bind(("127.0.0.1", 0))
        self.stream = socket.create_server(("127.0.0.1", 0))
        self.direct = [
            socket.create_server((f"127.64.0.{number}", port)) for port in direct_ports for number in (1, 2, 3)
        ]
        self.doors = (
            control.Door(control.DoorKind.PROXY, self.proxy.getsockname()[1]),
            control.Door(control.DoorKind.NAMES, 53),
            control.Door(control.DoorKind.NAMES_STREAM, 53),
            *(control.Door(control.DoorKind.DIRECT, each.getsockname()[1]) for each in self.direct),
            control.Door(control.DoorKind.CONTROL),
        )
        if password:
            self.doors = self.doors[:1]
        self.inside, self._outside = control.make_pair()
        self.inside.settimeout(PATIENCE)
        self.notebook, self.tier = notebook, tier
        self.open()

    @property
    def listeners(self):
        return [self.proxy, self.names, self.stream, *self.direct, self._outside]

    def open(self):
        descriptors = [each.fileno() for each in self.listeners[: len(self.doors)]]
        credential = digest_of(self.password) if self.password else ""
        answer = self.owner.ask(
            control.OpenDoors,
            descriptors,
            kernel=self.kernel,
            doors=self.doors,
            notebook=self.notebook,
            credential=credential,
            tier=self.tier,
        )
        assert isinstance(answer, control.Done), answer

    def connect(self):
        return socket.create_connection(self.proxy.getsockname(), timeout=PATIENCE)

    def close(self):
        for each in (*self.listeners, self.inside):
            each.close()
