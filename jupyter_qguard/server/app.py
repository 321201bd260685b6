"""The Jupyter server extension: reads its traits, builds the guard, and puts it in front of everything that writes.

The one place of the package where everything is put together. Traits say where and how; what is allowed is said by
the policy alone.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, Int, Unicode

from jupyter_qguard.policy.lookup import load_policy_or_strictest
from jupyter_qguard.process import refuse_inspection
from jupyter_qguard.sandbox.factory import NAME as PROVISIONER
from jupyter_qguard.sandbox.factory import force_provisioner
from jupyter_qguard.sandbox.ground import watch
from jupyter_qguard.server.assembly import Assembly, Options, assemble
from jupyter_qguard.server.collaboration import MovedStore, move_store
from jupyter_qguard.server.own_code import keep_workspace_out, tame_git
from jupyter_qguard.server.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_server.serverapp import ServerApp

    from jupyter_qguard.policy import LoadedPolicy

_MEGABYTE = 1 << 20


class QGuardApp(ExtensionApp):
    """Keeps secrets out of what this server saves, exports and lets download."""

    name = "jupyter_qguard"
    load_other_extensions = True

    upload_dir = Unicode(
        "",
        help="""Folder in which chunked uploads wait, in files without a name, until they are complete. Empty:
        jupyter-qguard/uploads in the user's state folder ($XDG_STATE_HOME, or ~/.local/state).""",
    ).tag(config=True)
    cache_dir = Unicode(
        "", help="""Folder for compiled rules. Empty: jupyter-qguard/rules in the user's cache folder."""
    ).tag(config=True)
    workers = Int(2, min=1, max=64, help="""Number of processes that scan. Each takes about 150 MB.""").tag(config=True)
    scan_timeout = Float(
        60.0,
        min=1.0,
        help="""Seconds that the scan of one document may take, and one second more for each megabyte of it. A save
        that takes longer is refused.""",
    ).tag(config=True)
    start_timeout = Float(
        300.0, min=1.0, help="""Seconds that a scanning process may take to load, and once to compile, its rules."""
    ).tag(config=True)
    scan_limit = Int(
        256 * _MEGABYTE,
        min=_MEGABYTE,
        help="""Bytes of the largest notebook or text file that is scanned. Larger ones are refused.""",
    ).tag(config=True)
    upload_limit = Int(
        8192 * _MEGABYTE,
        min=_MEGABYTE,
        help="""Bytes that all unfinished chunked uploads may take together.""",
    ).tag(config=True)
    memory = Int(
        128 * _MEGABYTE,
        min=0,
        help="""Bytes of notebooks that each process remembers, so that only cells that changed are scanned anew. The server
        keeps as much for each, and the process takes four to five times as much memory for them. 0: none.""",
    ).tag(config=True)
    hide_process = Bool(
        True,
        help="""Forbid core dumps of the server, and other processes of the same user to read its memory. Linux only.
        Turn it off to attach a debugger or profiler.""",
    ).tag(config=True)
    guard_kernels = Bool(
        True,
        help="""Start every kernel of this server in the sandbox, if there is a policy file, in the strongest tier that the machine gives, and never
        in one below the policy's `egress.minimum_tier`.""",
    ).tag(config=True)
    move_collaboration_store = Bool(
        True,
        help="""Keep jupyter-collaboration's store, which holds every keystroke, in memory instead of in a file, unless
        SQLiteYStore.db_path or YDocExtension.ystore_class is configured.""",
    ).tag(config=True)

    _assembly: Assembly | None = None
    _store: MovedStore | None = None
    _surroundings: Surroundings | None = None
    _hidden = False

    def _link_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Called before any extension is loaded: the last moment to configure another one."""
        super()._link_jupyter_server_extension(serverapp)
        self._surroundings = Surroundings(serverapp)
        self._surroundings.close(load_policy_or_strictest(environ=os.environ, home=Path.home()))
        if self.move_collaboration_store:
            self._store = move_store(serverapp.config, os.environ)

    def initialize_settings(self) -> None:
        """Called when the extension is loaded. Nothing in here waits for the rules."""
        started = time.perf_counter()
        if self.hide_process:
            self._hidden = refuse_inspection()
        try:
            self._assembly = assemble(self._server, self._options(), self._surroundings, self.log)
            if self.guard_kernels:
                self._guard_kernels(self._assembly.loaded)
        except Exception as error:
            # jupyter_server would log this and go on without us.
            self.log.critical("jupyter_qguard cannot be set up (%s): the server does not start without it", error)
            raise SystemExit(70) from error
        self.log.info(
            "jupyter_qguard guards %s; set up in %.0f ms",
            self._assembly.guarded(),
            (time.perf_counter() - started) * 1000,
        )

    def _guard_kernels(self, loaded: Callable[[], LoadedPolicy]) -> None:
        assert self._assembly is not None  # noqa: S101 - called when it is there
        force_provisioner(loaded, self._assembly.kernel_records, self._server)
        watch(self._assembly.noticed)
        if loaded().chosen:
            # For what is started from here: `jupyter execute` and the like, in a terminal.
            os.environ.setdefault(KernelProvisionerFactory.default_provisioner_name_env, PROVISIONER)
            tame_git(os.environ)
            warning = keep_workspace_out(sys.path, self._server.root_dir)
            if warning:
                self.log.warning(warning)
        else:
            self.log.warning("jupyter_qguard guards no kernels, as there is no policy file. `qguard init` writes one.")

    def initialize_handlers(self) -> None:
        """Called after :meth:`initialize_settings`."""
        if self._assembly is not None:
            self.handlers.extend(self._assembly.handlers())

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:  # noqa: ARG002 - given by the server
        """Called when every extension is loaded. One of them may have put another contents manager in place."""
        if self._assembly is None:
            return
        try:
            self._assembly.check_surroundings()
            self._assembly.guard_contents()
        except Exception as error:
            # As above: jupyter_server would go on, with a contents manager that nobody guards.
            self.log.critical("jupyter_qguard cannot guard this server (%s): it ends", error)
            raise SystemExit(70) from error
        self._assembly.start()

    async def stop_extension(self) -> None:
        """Called when the server shuts down."""
        if self._assembly is not None:
            self._assembly.close()
        if self._store is not None:
            self._store.remove()

    @property
    def _server(self) -> Any:
        return self.serverapp

    def _options(self) -> Options:
        return Options(
            upload_dir=Path(self.upload_dir) if self.upload_dir else _state_dir() / "uploads",
            cache_dir=Path(self.cache_dir) if self.cache_dir else None,
            workers=self.workers,
            scan_timeout=self.scan_timeout,
            start_timeout=self.start_timeout,
            scan_limit=self.scan_limit,
            upload_limit=self.upload_limit,
            memory=self.memory,
            hidden=self._hidden,
        )


def _state_dir() -> Path:
    base = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".local" / "state") / "jupyter-qguard"
