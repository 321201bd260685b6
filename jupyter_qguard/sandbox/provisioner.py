"""jupyter_client's seam: starts, signals and ends kernels in the sandbox. With ``factory`` and ``connection`` all that knows
Jupyter here."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import os
import shutil
import signal
import sys
import weakref
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.errors import GuardFailureError, QGuardError
from jupyter_qguard.gateway.control import RecordStart, make_pair
from jupyter_qguard.policy.egress import ports_of
from jupyter_qguard.policy.model import Tier
from jupyter_qguard.sandbox.companion import takes_companion, with_companion
from jupyter_qguard.sandbox.connection import bridge_for, use_sockets, use_tcp, with_private_file
from jupyter_qguard.sandbox.environment import kernel_environment, with_overlay
from jupyter_qguard.sandbox.errors import KernelRefusedError, SandboxUnavailableError
from jupyter_qguard.sandbox.ground import Ground, the_ground
from jupyter_qguard.sandbox.last_words import LastWords
from jupyter_qguard.sandbox.launch import PATIENCE, PROXY, Launched, Start, launch
from jupyter_qguard.sandbox.layout import PACKAGE, library_of, make_layout, site_folders
from jupyter_qguard.sandbox.output import RawOutput
from jupyter_qguard.sandbox.pod_launch import launch_in_pod
from jupyter_qguard.sandbox.proxy_door import open_proxy_door
from jupyter_qguard.sandbox.tiers import tiers_to_try
from jupyter_qguard.sandbox.trust import Trust, plan_trust

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo

    from jupyter_qguard.policy import Policy

_TAKEN = ("JUPYTER_DEFAULT_PROVISIONER_NAME",)
"""A kernel inside of a kernel inherits the confinement, and can have none of its own."""


class QGuardProvisioner(LocalProvisioner):
    """Kernels that reach the allowlist and nothing else."""

    _folder: Path | None = None
    _remove_folder: weakref.finalize[..., QGuardProvisioner] | None = None
    _launched: Launched | None = None
    _trust: Trust | None = None
    _last_words: LastWords | None = None
    tier: Tier | None = None
    """How the kernel that runs now is confined."""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Have the kernel listen on sockets in a folder of its own."""
        manager = self.parent
        if manager is not None and self._folder is None and sys.platform != "win32":
            ground = await asyncio.to_thread(the_ground)
            self._folder = ground.folder.new_folder()
            # A kernel that did not start, or whose manager is just dropped, is never cleaned up after.
            self._remove_folder = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            use_sockets(manager, self._folder)
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel in the strongest tier that is to be had, if the policy is content with it."""
        notebook = str((kwargs.get("env") or {}).get("JPY_SESSION_NAME", ""))
        ground = await asyncio.to_thread(the_ground)
        policy = ground.policy()
        if self._last_words is not None:
            await asyncio.to_thread(self._last_words.take)
        self._last_words = LastWords(str(self.kernel_id), ground.owner.subscribe)
        try:
            tiers = tiers_to_try(policy.egress.minimum_tier, os.environ.get("QGUARD_TIER", ""))
            missed: list[str] = []
            for tier in tiers:
                try:
                    if tier is Tier.COOPERATIVE:
                        await self._launch_cooperative(ground, policy, cmd, kwargs, notebook)
                        self.log.warning(
                            "jupyter_qguard: kernel %s is NOT confined (tier %s). %s",
                            self.kernel_id,
                            tier.label,
                            ". ".join(missed),
                        )
                    else:
                        await asyncio.to_thread(self._launch_confined, tier, ground, policy, cmd, kwargs, notebook)
                except SandboxUnavailableError as error:
                    missed.append(f"Tier {tier.label}: {error}")
                else:
                    self.tier = tier
                    return self.connection_info
            raise KernelRefusedError(  # noqa: TRY301 - recorded as the others are
                f"The kernel was not started. {'. '.join(missed)}. The policy wants tier {tiers[-1].label} at least."
            )
        except QGuardError as error:
            await self._record(ground, error.code, str(error))
            raise
        except Exception as error:
            await self._record(ground, GuardFailureError.code, type(error).__name__)
            raise GuardFailureError(
                f"The kernel was not started, as the guard failed ({type(error).__name__}). Try once more; if it stays "
                "so, report it with the server's log."
            ) from error

    async def _record(self, ground: Ground, code: str, detail: str) -> None:
        with contextlib.suppress(QGuardError, TimeoutError, asyncio.TimeoutError):
            recorded = ground.owner.record_failure(str(self.kernel_id), "sandbox", code, detail)
            await asyncio.wait_for(asyncio.wrap_future(recorded), PATIENCE)

    async def poll(self) -> int | None:
        """As jupyter_client has it; where the kernel ended before it began, its last words go to the log."""
        code = await super().poll()
        if code is not None and self._last_words is not None:
            words, self._last_words = self._last_words, None
            said = await asyncio.to_thread(words.take)
            if said:
                self.log.error("jupyter_qguard: kernel %s ended before it ran anything: %s", self.kernel_id, said)
        return code

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel and its children. Bubblewrap, which would die of it, is left out unless all is to end."""
        launched = self._launched
        if launched is None or self.process is None or signum == signal.SIGKILL:
            await super().send_signal(signum)
            return
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(launched.leader, signum)

    async def cleanup(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - the seam's signature
        """Close what the kernel had; after its end also its folder."""
        await super().cleanup(restart=restart)
        if self.tier is not None:
            await asyncio.to_thread(the_ground().owner.close_doors, str(self.kernel_id))
        if not restart and self._remove_folder is not None:
            self._remove_folder()
            self._folder = None
            if self._trust is not None:
                self._trust.path.unlink(missing_ok=True)

    def _launch_confined(
        self, tier: Tier, ground: Ground, policy: Policy, cmd: list[str], kwargs: dict[str, Any], notebook: str
    ) -> None:
        if self._folder is None or not sys.platform.startswith("linux"):
            raise SandboxUnavailableError("kernels are confined on Linux only")
        # A server names none where the kernel belongs to no notebook; its own may be out of the kernel's sight.
        cwd = str(kwargs.get("cwd") or self._workspace())
        ports = sorted({443, *ports_of(policy)})
        bridge = None
        if tier is not Tier.NETNS:
            self._reach_over_tcp(cmd)
        elif self.parent is not None:
            bridge = bridge_for(self.parent, cmd, taken=ports)
        private = with_private_file(cmd, self.parent.connection_file, self._folder, bridge) if self.parent else cmd
        argv = [os.path.expanduser(word) for word in private]  # noqa: PTH111 - as jupyter_client
        spec = self.kernel_spec
        public = [Path(self.parent.connection_file)] if self.parent else []
        trust = self._trust = plan_trust(policy, self._folder)
        layout = make_layout(
            workspace=self._workspace(cwd),
            connection_dir=self._folder,
            resolv_conf=ground.bait.resolv_conf,
            program=argv[0],
            shown=[Path(each) for each in (ground.library, spec and spec.resource_dir, trust and trust.path) if each],
            policy=policy,
            today=dt.datetime.now(tz=dt.timezone.utc).date(),
        )
        # Wherever it is: a process whose folder for temporary files is in the workspace makes it there.
        layout = dataclasses.replace(layout, hidden=(*layout.hidden, *public))
        library = library_of(argv[0])
        start = Start(
            kernel=str(self.kernel_id),
            kernelspec=self._kernelspec,
            notebook=notebook,
            argv=argv,
            environment=with_overlay(self._environment(policy, kwargs, PROXY, trust), layout.overlay, library),
            cwd=cwd,
            made=str(layout.overlay / library) if layout.overlay and library else "",
            layout=layout,
            ports=ports,
            unwritable=self._unwritable(),
            unreadable=public,
            trust=trust,
            bridge=bridge,
            library=ground.library if takes_companion(argv) else None,
        )
        if tier is Tier.NETNS:
            self._launched = launch(start, ground.owner, ground.bait, ground.starter)
        else:
            self._launched = launch_in_pod(start, policy, ground.owner, ground.starter)
        if self._last_words is not None:
            self._last_words.attach(self._launched.output)
        self.process = self._launched.process
        self.pid = self.pgid = self.process.pid
        self.cwd = kwargs.get("cwd", Path.cwd())

    async def _launch_cooperative(
        self, ground: Ground, policy: Policy, cmd: list[str], kwargs: dict[str, Any], notebook: str
    ) -> None:
        """Only the proxy variables: a program that does not heed them goes its own way."""
        self._launched = None
        self._reach_over_tcp(cmd)
        kernel, tier = str(self.kernel_id), Tier.COOPERATIVE
        ours, theirs = make_pair()
        with ours, theirs:
            door = await asyncio.to_thread(open_proxy_door, ground.owner, kernel, tier, notebook, ours)
            trust = self._trust = plan_trust(policy, self._folder) if self._folder else None
            if trust is not None:
                trust.write(ground.owner.certificate(kernel))
            started = RecordStart(request=0, kernel=kernel, kernelspec=self._kernelspec, tier=tier, notebook=notebook)
            await asyncio.wait_for(asyncio.wrap_future(ground.owner.record_start(started)), PATIENCE)
            environment = self._environment(policy, kwargs, door.url, trust)
            for name in ("TMPDIR", "JPY_PARENT_PID"):  # these say what holds in a sandbox
                environment.pop(name, None)
            output = RawOutput()
            if takes_companion(cmd):
                cmd, environment = with_companion(cmd, environment, ground.library, theirs.fileno(), tier)
                kwargs = {**kwargs, "pass_fds": (theirs.fileno(),)}
                output.keep_the_last()
                if self._last_words is not None:
                    self._last_words.attach(output)
            else:
                output.drop_from_now()
            try:
                await super().launch_kernel(
                    cmd, **{**kwargs, "env": environment, "stdout": output.writer, "stderr": output.writer}
                )
            finally:
                output.close_writer()

    def _reach_over_tcp(self, cmd: list[str]) -> None:
        """Where a kernel shares the server's network, one that may know TCP alone needs no bridge."""
        if self.parent is not None and use_tcp(self.parent, cmd):
            self.connection_info = self.parent.get_connection_info()

    def _environment(self, policy: Policy, kwargs: dict[str, Any], proxy: str, trust: Trust | None) -> dict[str, str]:
        bundle = str(trust.path) if trust else policy.egress.ca_bundle
        parent = {name: value for name, value in (kwargs.get("env") or os.environ).items() if name not in _TAKEN}
        return kernel_environment(parent, proxy=proxy, ca_bundle=bundle, catalog=load_catalog())

    @cached_property
    def _kernelspec(self) -> str:
        return str(getattr(self.parent, "kernel_name", "") or getattr(self.kernel_spec, "display_name", ""))

    def _workspace(self, cwd: str = "") -> Path:
        """The server's root; where no server is known, the kernel's working directory."""
        root = getattr(getattr(self.parent, "parent", None), "root_dir", "")
        return Path(root or cwd or Path.cwd()).expanduser().resolve()

    @staticmethod
    def _unwritable() -> list[Path]:
        return [PACKAGE, Path(jupyter_config_dir()), Path(jupyter_data_dir()), *site_folders()]
