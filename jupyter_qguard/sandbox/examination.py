"""Proves the tier of this machine: starts a program in the sandbox in just the way in which kernels are started."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.errors import QGuardError
from jupyter_qguard.policy.model import Tier
from jupyter_qguard.policy.openings import not_stopped
from jupyter_qguard.sandbox.environment import kernel_environment
from jupyter_qguard.sandbox.errors import SandboxUnavailableError
from jupyter_qguard.sandbox.ground import Ground, the_ground
from jupyter_qguard.sandbox.launch import PROXY, Start, end, launch
from jupyter_qguard.sandbox.layout import make_layout
from jupyter_qguard.sandbox.machine import look
from jupyter_qguard.sandbox.pod_launch import launch_in_pod
from jupyter_qguard.sandbox.requirements import Check, requirements
from jupyter_qguard.sandbox.tiers import tiers_to_try


@dataclass(frozen=True, slots=True)
class Examination:
    """What this machine gives, and what it does not."""

    tier: Tier | None
    """None where no kernel would start: the sandbox has a hole, or cannot be made as the policy wants it."""
    minimum: Tier
    checks: tuple[Check, ...]
    """Of the sandbox, by trying to get out of it; or why there is none."""
    machine: tuple[Check, ...] = ()
    """What the tier needs, and whether it is there."""

    @property
    def meets_minimum(self) -> bool:
        """Whether kernels start."""
        return self.tier is not None and self.tier <= self.minimum

    @property
    def enforced(self) -> tuple[str, ...]:
        """The checks that held."""
        return tuple(check.id for check in self.checks if check.ok)

    @property
    def not_stopped(self) -> tuple[str, ...]:
        """What gets past the guard here."""
        return not_stopped(self.tier, self.enforced)


def examine(workspace: Path) -> Examination:
    """The tier that holds for kernels of *workspace*.

    Raises
    ------
    GatewayError
        The gateway does not run, so that no kernel would start.
    KernelRefusedError
        ``QGUARD_TIER`` asks for what is not to be had.
    """
    ground = the_ground()
    minimum = ground.policy().egress.minimum_tier
    named = os.environ.get("QGUARD_TIER", "")
    # What is asked for must meet the minimum; what the machine gives is told even where that is too little.
    asked = tiers_to_try(minimum, named) if named else tiers_to_try(max(Tier))
    machine = requirements(look()) if Tier.NETNS in asked else ()
    missed: list[Check] = []
    for tier in asked:
        try:
            held = () if tier is Tier.COOPERATIVE else _try(tier, ground, workspace)
        except SandboxUnavailableError as error:
            missed.append(Check(tier.label, False, str(error)))
        except QGuardError as error:
            return Examination(None, minimum, (*missed, Check(tier.label, False, str(error))), machine)
        else:
            checks = (Check(name, True, "held inside of the sandbox") for name in held)
            return Examination(tier, minimum, (*missed, *checks), machine)
    return Examination(None, minimum, tuple(missed), machine)


def _try(tier: Tier, ground: Ground, workspace: Path) -> tuple[str, ...]:
    policy = ground.policy()
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="doctor-", dir=ground.folder.path))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        layout = make_layout(
            workspace=workspace,
            connection_dir=folder,
            resolv_conf=ground.bait.resolv_conf,
            program="true",
            shown=(ground.library,),
            policy=policy,
            today=dt.datetime.now(tz=dt.timezone.utc).date(),
        )
        environment = kernel_environment(
            os.environ, proxy=PROXY, ca_bundle=policy.egress.ca_bundle, catalog=load_catalog()
        )
        kernel = f"doctor-{secrets.token_hex(8)}"
        stack.callback(ground.owner.close_doors, kernel)
        start = Start(
            kernel=kernel,
            kernelspec="doctor",
            notebook="",
            argv=("true",),
            environment=environment,
            cwd="/",
            layout=layout,
            ports=(443,),
            unwritable=[path for path in layout.interpreters if path.is_dir()],
            unreadable=[path for path in layout.hidden if path.is_file()],
        )
        if tier is Tier.NETNS:
            launched = launch(start, ground.owner, ground.bait, ground.starter)
        else:
            launched = launch_in_pod(start, policy, ground.owner, ground.starter)
        stack.callback(end, launched.process)
    return launched.enforced
