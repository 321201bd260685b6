"""One run: the judge's network and house, two kernels, all attacks from inside one of them."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import sysconfig
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, TypeVar

from jupyter_client.manager import KernelManager

from tests.attack import network, servers
from tests.attack.attacks import allowed
from tests.attack.attacks.base import Attack, Judge, Target, World
from tests.attack.attacks.driver import MARK, load
from tests.attack.house import HOME, House
from tests.attack.judge import Bench

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_KIT = HOME / "work/.kit"
_SECONDS = 240
_FLOOR = Path("/etc/jupyter-qguard")
_BEFORE = f"import sys; sys.path.insert(0, {str(_KIT)!r})\n"


def _here(call: Callable[[], T]) -> T:
    return call()


@dataclass(frozen=True)
class Result:
    """One attack's outcome, and what it said itself."""

    name: str
    group: str
    title: str
    outcome: str
    residual: bool
    said: str


class Kernel:
    """A real kernel and its client."""

    def __init__(self, name: str, *, guarded: bool) -> None:
        self.manager = KernelManager(kernel_name="python3")
        if not guarded:
            folder = HOME / f".{name}"
            folder.mkdir(mode=0o700)
            self.manager.transport, self.manager.ip = "ipc", str(folder / "k")
        self.manager.start_kernel(cwd=str(HOME / "work"))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def start(self, code: str) -> str:
        """Ask for *code* to be run; the number to ask for its output with."""
        return str(self.client.execute(_BEFORE + code))

    def output(self, number: str, seconds: float = _SECONDS) -> str:
        """All that *number* printed, or its error."""
        text, until = "", time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            if message["parent_header"].get("msg_id") != number:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                text += content["text"]
            elif kind == "error":
                text += "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle":
                return text
        return text + f"\nnot done after {seconds} s"

    def end(self) -> None:
        """End it."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Run:
    """Everything of one run."""

    def __init__(self, tier: str, only: str) -> None:
        self._floor = _FLOOR.exists()
        self._guarded = tier != "none"
        self._chosen = [each for each in load() if only in each.name]
        outside = self._outside = network.enter_pod() if tier == "platform" else _here
        self.house = House(tier if self._guarded else "cooperative")
        self.sniffer, self.names = outside(network.Sniffer), outside(servers.Names)
        self.web = outside(lambda: servers.Web(self.house.temporary, self.house.secrets["metadata"]))
        if tier == "platform":
            outside(servers.Strict)
        if self._guarded:
            os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "qguard-provisioner"
        else:
            servers.Naive()
            os.environ["HTTPS_PROXY"] = "http://127.0.0.1:3128"
        outside(lambda: servers.catch([20000 + number for number in range(len(load()))]))
        shutil.copytree(
            Path(__file__).parent / "attacks", _KIT / "attacks", ignore=shutil.ignore_patterns("__pycache__")
        )
        self._bench = Bench(self.house, self.sniffer, self.names, self.web, set())

    def results(self) -> dict[str, object]:
        """Attack, judge, clean up."""
        started = time.monotonic()
        peer = Kernel("peer", guarded=self._guarded)
        peer.output(peer.start(f"from attacks import later\nlater.plant({str(HOME)!r})"), 20)
        attacker = Kernel("attacker", guarded=self._guarded)
        self.house.later()
        try:
            world = self.house.world(
                dict(peer.manager.get_connection_info()) | {"key": peer.manager.session.key.decode()}
            )
            controls = self._controls(attacker, world)
            together = [each for each in self._chosen if each.judge is not Judge.PEER]
            targets = {each.name: self._target(each, number, world) for number, each in enumerate(load())}
            said = self._attack(attacker, together, targets, world)
            for each in self._chosen:
                if each.judge is Judge.PEER:
                    said |= self._beside(attacker, peer, each, targets, world)
            self._outside(self.sniffer.settle)
            time.sleep(0.3)  # what the listeners have accepted, they must read
            judged = [
                Result(each.name, each.group, each.title, self._bench.judge(each, targets[each.name], said.get(each.name, "")).value, each.residual, said.get(each.name, "nothing")[:300])
                for each in self._chosen
            ]  # fmt: skip
            still = self._controls(attacker, world)
        finally:
            attacker.end()
            peer.end()
            self._clean()
        return {
            "controls": controls, "controls_after": still, "results": [asdict(each) for each in judged], "lost": self.sniffer.lost(),
            "seconds": round(time.monotonic() - started, 1), "uid": os.getuid(),
        }  # fmt: skip

    def _target(self, one: Attack, number: int, world: World) -> Target:
        site = sysconfig.get_path("purelib")
        path = one.path
        places = {
            "home": world.home,
            "workspace": world.workspace,
            "package": world.package,
            "prefix": world.prefix,
            "site": site,
            "number": number,
            "python": sysconfig.get_python_version(),
        }
        for word, value in places.items():
            path = path.replace(f"{{{word}}}", str(value))
        return Target(number, f"qg{secrets.token_hex(6)}", world, path)

    def _spec(self, chosen: list[Attack], targets: dict[str, Target], world: World) -> str:
        listed = [
            (each.name, targets[each.name].number, targets[each.name].nonce, targets[each.name].path) for each in chosen
        ]
        return f"from attacks import driver\ndriver.run({json.dumps(json.dumps({'world': asdict(world), 'attacks': listed}))})"

    def _attack(self, kernel: Kernel, chosen: list[Attack], targets: dict[str, Target], world: World) -> dict[str, str]:
        output = kernel.output(kernel.start(self._spec(chosen, targets, world)))
        if MARK not in output:
            text = f"the attacker's kernel did not answer: {output[-2000:]}"
            raise RuntimeError(text)
        said: dict[str, str] = json.loads(output.partition(MARK)[2].splitlines()[0])
        return said

    def _beside(
        self, kernel: Kernel, peer: Kernel, one: Attack, targets: dict[str, Target], world: World
    ) -> dict[str, str]:
        number = kernel.start(self._spec([one], targets, world))
        time.sleep(0.8)  # it is at its worst
        answer = self._control(peer, "proxy", world, 5)
        if answer != "ok":
            self._bench.peer_failed.add(one.name)
        output = kernel.output(number)
        said: dict[str, str] = json.loads(output.partition(MARK)[2].splitlines()[0])
        return {one.name: f"{said.get(one.name)}; the other kernel: {answer}"}

    def _controls(self, kernel: Kernel, world: World) -> dict[str, str]:
        return {case: self._control(kernel, case, world) for case in allowed.CASES}

    def _control(self, kernel: Kernel, case: str, world: World, seconds: float = 20) -> str:
        path = f"/{secrets.token_hex(6)}"
        code = f"from attacks import allowed\nprint(allowed.check({case!r}, {world.vendor!r}, {world.plain!r}, {world.wild!r}, {path!r}))"
        said = kernel.output(kernel.start(code), seconds).strip()
        reached = case in {"workspace", "shell", "local"} or any(path in each for each in self.web.paths)
        return said if reached or said != "ok" else "answered, but not by the vendor"

    def _clean(self) -> None:
        """Take away what the attacks of a kernel without a guard have made outside of the house."""
        self.house.end()
        shutil.rmtree(self.house.temporary, ignore_errors=True)
        places = [
            Path(sys.prefix),
            Path(sysconfig.get_path("purelib")),
            Path(__file__).parents[2] / "jupyter_qguard",
            Path("/etc"),
            Path("/usr/local/bin"),
            Path("/tmp"),
        ]
        for top in places:
            for pattern in ("qg_attack_*", "*/qg_attack_*", "*/*/qg_attack_*", "*/*/*/qg_attack_*", "qg-disk"):
                with suppress(FileNotFoundError):  # others work in these folders
                    for found in top.glob(pattern):
                        shutil.rmtree(found) if found.is_dir() and not found.is_symlink() else found.unlink()
        if not self._floor and _FLOOR.exists():
            _FLOOR.rmdir()
