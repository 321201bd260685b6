"""Pods, as real Docker makes them with its default profile: its filter program, masked and read-only ``/proc``, no
namespaces. The network around them is a stand-in: one in which the addresses answer that tier `platform` knocks at.

Docker's daemon runs in a network of its own, with folders of its own, and is ended with its containers. Nothing is
downloaded: the image is empty, and the container sees this machine's programs read-only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
PROGRAMS = (REPOSITORY / "build" / "docker" / "usr" / "sbin", REPOSITORY / "build" / "docker" / "usr" / "bin")
"""Where ``.ci/prepare`` puts Debian's Docker, if there is none."""
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", *map(str, PROGRAMS)])
SEEN = ("/usr", "/etc", str(REPOSITORY), sys.base_prefix)
"""What a container sees of this machine, read-only."""
INSIDE = "/srv/pod"
"""Where a pod has the folder that it may write: not below ``/tmp``, where every kernel may write."""
ORDINARY = 1000
PATIENCE = 45.0


def missing() -> str:
    """Why there are no pods here; empty if there are."""
    if os.geteuid() != 0:
        return "Docker's daemon needs root"
    if landlock() < 1:
        return "this Linux has no Landlock, with which most is held"
    absent = [name for name in ("dockerd", "docker", "containerd", "runc", "ip", "nsenter") if not _found(name)]
    return f"there is no {', '.join(absent)}: `.ci/prepare dev` brings them" if absent else ""


def landlock() -> int:
    """Version of Landlock; less than 1 where Linux has none."""
    return ctypes.CDLL(None, use_errno=True).syscall(444, None, ctypes.c_size_t(0), 1)


def _found(name: str) -> str | None:
    return shutil.which(name, path=PATH)


@dataclass(frozen=True)
class Network:
    """Of some pods."""

    holder: str
    """The container that it belongs to."""
    proxy: str
    """The platform's proxy."""


class Docker:
    """A daemon, and the world outside of its pods."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "docker.sock"
        self._environment = {"PATH": PATH, "DOCKER_HOST": f"unix://{self._socket}", "HOME": str(folder)}
        (folder / "config-file").write_text("{}")
        with (folder / "log").open("wb") as log:
            self._daemon = subprocess.Popen(
                ["unshare", "--net", "--mount", _found("dockerd"), "--host", f"unix://{self._socket}"]
                + [f"--{name}={folder / name}" for name in ("data-root", "exec-root", "pidfile", "config-file")]
                + ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
                + ["--storage-driver=vfs"],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._programs: list[subprocess.Popen] = []
        self._networks = 0
        self.lacking = self._wait() or self._try()
        """Why there can be no pods; on a machine that is itself a container it is often so."""

    def _try(self) -> str:
        """Make the image and run something in it; why that cannot be done."""
        try:
            self._make_image()
            self.inside("ip", "link", "set", "lo", "up")
            self.run("run", "--rm", "--network", "none", *_mounts(), "empty:1", "true")
            for words in ("add tried type veth peer name tried2", "delete tried"):
                self.inside("ip", "link", *words.split())
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            return " ".join(str(error).split())[-500:]
        return ""

    def _make_image(self) -> None:
        empty = self._folder / "empty.tar"
        with tarfile.open(empty, "w") as tar:
            for name in ("proc", "sys", "dev", "run", "tmp", "home", "root", "usr", "etc", "srv"):
                made = tarfile.TarInfo(name)
                made.type, made.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
                tar.addfile(made)
            for name in ("lib", "lib64", "bin", "sbin"):
                made = tarfile.TarInfo(name)
                made.type, made.linkname = tarfile.SYMTYPE, f"usr/{name}"
                tar.addfile(made)
        self.run("import", str(empty), "empty:1")

    def run(self, *words: str, check: bool = True, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """The client."""
        done = subprocess.run(
            [_found("docker"), *words],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def inside(self, *command: str) -> None:
        """Run a command in the network outside of the pods."""
        entered = ["nsenter", "--target", str(self._daemon.pid), "--net", *command]
        subprocess.run(entered, env=self._environment, check=True, timeout=PATIENCE)

    def world(self, *arguments: str) -> None:
        """Have ``world.py`` run outside of the pods; it says a line when it serves."""
        command = ["nsenter", "--target", str(self._daemon.pid), "--net", sys.executable, str(HERE / "world.py")]
        made = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True, env={"PATH": PATH})
        self._programs.append(made)
        assert made.stdout is not None
        assert made.stdout.readline() == "ready\n"

    def network(self, *, confined: bool) -> Network:
        """A network for pods. *confined*: it leads to the platform's proxy and nowhere else, as no route does."""
        self._networks += 1
        ours, theirs = (f"10.77.{self._networks}.{last}" for last in (1, 2))
        holder = self.run(
            "run", "--detach", "--network", "none", *_mounts(), "empty:1", "sleep", "infinity"
        ).stdout.strip()
        process = self.run("inspect", "--format", "{{.State.Pid}}", holder).stdout.strip()
        end = f"pod{self._networks}"
        self.inside("ip", "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", process)
        self.inside("ip", "address", "add", f"{ours}/30", "dev", end)
        self.inside("ip", "link", "set", end, "up")
        for words in (f"address add {theirs}/30 dev eth0", "link set eth0 up"):
            self._enter(process, words)
        if not confined:
            self._enter(process, f"route add default via {ours}")
        return Network(holder, ours)

    def _enter(self, process: str, words: str) -> None:
        entered = ["nsenter", "--target", process, "--net", "ip", *words.split()]
        subprocess.run(entered, env=self._environment, check=True, timeout=PATIENCE)

    def pod(
        self,
        network: Network,
        folder: Path,
        command: list[str],
        *,
        user: int,
        environ: dict[str, str],
        options: tuple[str, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run *command* as *user* in a container that may write *folder*."""
        given = [word for name, value in environ.items() for word in ("--env", f"{name}={value}")]
        return self.run(
            *("run", "--rm", "--network", f"container:{network.holder}", "--user", f"{user}:{user}", *options),
            *(*_mounts(), "--volume", f"{folder}:{INSIDE}", "--workdir", INSIDE, *given, "empty:1", *command),
            check=False,
            timeout=240,
        )

    def end(self) -> None:
        """End all of it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            for each in self.run("ps", "--quiet", check=False).stdout.split():
                self.run("rm", "--force", each, check=False)
        for program in self._programs:
            program.kill()
            program.wait()
            program.stdout.close()
        self._daemon.terminate()
        try:
            self._daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._daemon.pid, signal.SIGKILL)
            self._daemon.wait()

    def _wait(self) -> str:
        """Wait for the daemon; why it ended instead."""
        until = time.monotonic() + PATIENCE / 2
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if self.run("version", check=False, timeout=5).returncode == 0:
                    return ""
            said = " ".join((self._folder / "log").read_text(errors="replace")[-500:].split())
            if self._daemon.poll() is not None:
                return said or "it ended"
            if time.monotonic() > until:
                return said or "it does not answer"
            time.sleep(0.1)


def _mounts() -> list[str]:
    seen = [path for path in dict.fromkeys(map(Path, SEEN)) if not any(Path(each) in path.parents for each in SEEN)]
    return [word for path in seen for word in ("--volume", f"{path}:{path}:ro")]
