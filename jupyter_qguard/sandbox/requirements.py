"""What tier ``netns`` needs of a machine, and what to do about what is missing. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from jupyter_qguard.sandbox.seccomp import MACHINES

OLDEST_LINUX = (4, 18)
"""Of the oldest distribution that is still cared for and can make the namespaces. None as old has been tried."""
OLDEST_BWRAP = (0, 5)
"""The first with ``--perms``."""
RESTRICTED = "kernel.apparmor_restrict_unprivileged_userns"
SYSCTLS = (RESTRICTED, "kernel.unprivileged_userns_clone", "user.max_user_namespaces", "user.max_net_namespaces")
"""Settings of Linux that deny namespaces; the first denies by 1, the others by 0."""
INSTALLERS = ("apt-get", "dnf", "zypper", "pacman")
"""Package managers that are known, as they are looked for."""
SETUP = "run `qguard setup`"
_DENIED = ("namespaces", "identity", "loopback", "listeners")
"""Steps of the stub."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How far a sandbox could be made."""

    step: str
    """The step that failed: one of the stub's, ``stub`` itself, ``processor``, ``bubblewrap``, ``mounts``; empty if
    none did."""
    reason: str
    """What the operating system or bubblewrap said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine, as it presents itself to one user."""

    system: str
    release: str
    processor: str
    filters: bool = False
    """Whether system calls can be filtered."""
    bwrap: str = ""
    """Path; empty where there is none."""
    bwrap_version: tuple[int, ...] = ()
    sysctls: Mapping[str, int] = field(default_factory=dict)
    """Of :data:`SYSCTLS` those that there are."""
    container: bool = False
    installer: str = ""
    """Package manager, one of :data:`INSTALLERS`; empty where none is known."""
    trial: Trial = Trial("system", "")

    @property
    def confines(self) -> bool:
        """Whether a sandbox could be made. What holds in it the canaries say."""
        return not self.trial.step

    @property
    def denying(self) -> tuple[str, ...]:
        """The settings that deny namespaces here."""
        return tuple(name for name, value in self.sysctls.items() if (value == 1 if name == RESTRICTED else value == 0))


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, whether it does, and what is there, or to be done."""

    id: str
    ok: bool
    detail: str


def requirements(machine: Machine) -> tuple[Check, ...]:
    """What *machine* has and lacks, in the order in which it must be put right."""
    if machine.system != "Linux":
        return (Check("linux", ok=False, detail=f"{machine.system}: kernels are confined on Linux only"),)
    checks = [_linux(machine), _processor(machine), _system_call_filter(machine), _bubblewrap(machine)]
    if machine.trial.step in ("", "mounts", "bubblewrap", "stub", *_DENIED):
        checks.append(_user_namespaces(machine))
    if machine.trial.step in ("", "mounts") and all(check.ok for check in checks):
        checks.append(_mounts(machine))
    return tuple(checks)


def missing(machine: Machine) -> str:
    """What keeps *machine* from confining kernels, in one sentence; empty if nothing does."""
    if machine.confines:
        return ""
    lacking = [each.detail for each in requirements(machine) if not each.ok]
    return "; ".join(lacking) or f"the sandbox could not be made ({machine.trial.reason or machine.trial.step})"


def _linux(machine: Machine) -> Check:
    version = tuple(map(int, re.findall(r"\d+", machine.release)[:2]))
    # An older one that makes the sandbox all the same is none to complain of.
    fits = version >= OLDEST_LINUX or machine.confines
    need = f"Linux {machine.release} is too old: install {_dotted(OLDEST_LINUX)} or newer"
    return Check("linux", fits, machine.release or "of unknown version" if fits else need)


def _processor(machine: Machine) -> Check:
    known = machine.processor in MACHINES
    need = f"{machine.processor}: supported are {', '.join(MACHINES)}"
    return Check("processor", known, machine.processor if known else need)


def _system_call_filter(machine: Machine) -> Check:
    if machine.filters:
        return Check("system_call_filter", ok=True, detail="seccomp")
    need = "no seccomp: Linux was built without it (CONFIG_SECCOMP_FILTER): start the distribution's own kernel"
    return Check("system_call_filter", ok=False, detail=need)


def _bubblewrap(machine: Machine) -> Check:
    if not machine.bwrap:
        return Check(
            "bubblewrap", ok=False, detail=f"bubblewrap is not installed: {SETUP}, or install the package `bubblewrap`"
        )
    version = _dotted(machine.bwrap_version) or "of unknown version"
    if () < machine.bwrap_version < OLDEST_BWRAP and not machine.confines:
        text = f"{machine.bwrap} {version} is too old: install {_dotted(OLDEST_BWRAP)} or newer ({SETUP})"
        return Check("bubblewrap", ok=False, detail=text)
    return Check("bubblewrap", ok=True, detail=f"{version}, {machine.bwrap}")


def _user_namespaces(machine: Machine) -> Check:
    step, reason = machine.trial.step, machine.trial.reason
    if step == "stub":
        return Check("user_namespaces", ok=False, detail=f"user namespaces could not be tried: {reason or 'no answer'}")
    if step not in _DENIED:
        return Check("user_namespaces", ok=True, detail="made by this user")
    if RESTRICTED in machine.denying:
        why = f"AppArmor takes the rights of user namespaces away (`{RESTRICTED}` is 1): {SETUP}"
    elif machine.denying:
        settings = ", ".join(f"`{name}` is {machine.sysctls[name]}" for name in machine.denying)
        why = f"user namespaces are denied by a setting of Linux ({settings}): `qguard setup` says how to change it"
    elif machine.container:
        why = "the container denies user namespaces: its profile must allow them, or the policy be content with a weaker tier"
    else:
        names = ", ".join(f"`{name}`" for name in SYSCTLS[2:])
        why = f"user namespaces are denied, used up ({names}), or filtered by what started this"
    return Check("user_namespaces", ok=False, detail=f"{why} ({step}: {reason})")


def _mounts(machine: Machine) -> Check:
    if machine.confines:
        return Check("mounts", ok=True, detail="made by bubblewrap")
    why = "a container masks /proc: it needs an unmasked one" if machine.container else "bubblewrap could not make them"
    return Check("mounts", ok=False, detail=f"{why} ({machine.trial.reason})")


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
