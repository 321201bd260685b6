"""Puts the guard together and in front of a running Jupyter server."""

from __future__ import annotations

import logging
import os
import secrets
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat.warnings import DuplicateCellId
from traitlets.log import get_logger

from jupyter_qguard.audit import AuditLog, Identity, IdentityKind, LogSettings, audit_paths
from jupyter_qguard.audit.person import server_user
from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.gateway.control import Began, PolicyChanged, Refused
from jupyter_qguard.policy import LivePolicy
from jupyter_qguard.scan.settings import ScanSettings
from jupyter_qguard.server import contents, downloads, export, handlers, stored
from jupyter_qguard.server.class_watch import ClassWatch
from jupyter_qguard.server.decisions import DecisionRegister, OverrideBook
from jupyter_qguard.server.gate import Gate
from jupyter_qguard.server.guard import Results, SaveGuard
from jupyter_qguard.server.guarded import GuardedContents
from jupyter_qguard.server.kernel_errors import reasoned_handlers
from jupyter_qguard.server.kernel_records import KernelRecords
from jupyter_qguard.server.late import UnclearedFilter
from jupyter_qguard.server.names import LogFilter, NameWatch
from jupyter_qguard.server.notices import GuardNotice, NoticeBoard
from jupyter_qguard.server.own_code import refuse_templates
from jupyter_qguard.server.policy_watch import PolicyWatch
from jupyter_qguard.server.pool_scan import PoolScan
from jupyter_qguard.server.service import GuardService
from jupyter_qguard.server.surroundings import Surroundings
from jupyter_qguard.server.trail import Trail
from jupyter_qguard.server.uploads import UploadSpool
from jupyter_qguard.server.workers import PoolSettings, WorkerPool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_qguard.policy import LoadedPolicy

_THREADS = 16
"""Saves that may wait for a worker at once; more wait for a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The traits of the extension as plain values."""

    upload_dir: Path
    cache_dir: Path | None
    workers: int
    scan_timeout: float
    start_timeout: float
    scan_limit: int
    upload_limit: int
    memory: int
    hidden: bool


class Assembly:
    """The guard of one server, running."""

    def __init__(self, server: Any, service: GuardService, threads: ThreadPoolExecutor, scan: PoolScan) -> None:
        """Use :func:`assemble`."""
        self._server, self._log = server, server.log
        self._service = service
        self._threads = threads
        self._scan = scan
        self._whole = True
        self.kernel_records = KernelRecords(service.guard.trail, threads)

    def noticed(self, notice: Refused | PolicyChanged | Began) -> None:
        """Pass on what the gateway tells people of kernels. Called from another thread."""
        if isinstance(notice, Refused):
            self._service.refusals.add(notice)
            text = f"A connection was refused: {notice.reason}"
            self._log.warning("jupyter_qguard: kernel %s: %s", notice.kernel, text)
            self._service.guard.board.guard(GuardNotice.EGRESS, text, kernel=notice.kernel)

    def check_surroundings(self) -> None:
        """Raise GuardFailureError if something is open that the policy closes."""
        problem = self._service.surroundings.check(self._service.guard.policy.current())
        if problem:
            raise GuardFailureError(problem)

    def guard_contents(self) -> None:
        """Guard the contents manager that the server has now."""
        gate = self._service.gate
        managers = (self._server.contents_manager, self._server.web_app.settings["contents_manager"])
        whole = [
            contents.guard_contents(manager, gate) for manager in managers
        ]  # each of them, whatever the first says
        self._whole = all(whole)

    def guarded(self) -> str:
        """How the contents manager that the server has now is guarded, in one word and its name."""
        manager = self._server.web_app.settings["contents_manager"]
        if not isinstance(manager, GuardedContents):
            return (
                f"hook only: {type(manager).__name__}" if not self._whole else f"NOT GUARDED: {type(manager).__name__}"
            )
        return f"whole: {type(manager).__name__}"

    def loaded(self) -> LoadedPolicy:
        """The policy in force now, and where it is from."""
        return self._service.guard.policy.current()

    def handlers(self) -> list[tuple[Any, ...]]:
        """The routes of the REST interface, and the one for downloads in front of the server's own."""
        routes: list[tuple[Any, ...]] = [*handlers.handlers(self._service), *reasoned_handlers()]
        manager = self._server.contents_manager
        base = manager.files_handler_class
        if base is not None:
            gate = self._service.gate
            guarded = downloads.guarded_files_handler(base, gate, downloads.Downloads(gate, self._scan))
            routes.append((r"/files/(.*)", guarded, dict(manager.files_handler_params)))
        return routes

    def start(self) -> None:
        """Warm the workers and open the audit log, in the background."""
        guard = self._service.guard
        guard.pool.start()
        self._threads.submit(lambda: guard.trail.policy_loaded(guard.policy.current()))

    def close(self) -> None:
        """End the workers and forget unfinished uploads."""
        guard = self._service.guard
        guard.pool.close()
        self._service.gate.uploads.close()
        guard.trail.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def assemble(server: Any, options: Options, surroundings: Surroundings | None, log: logging.Logger) -> Assembly:
    """Build the guard and set it in front of *server*'s contents manager and exporters. Starts no process yet."""
    user = server_user(os.environ)
    policy = PolicyWatch(LivePolicy(environ=os.environ, home=Path.home()))
    loaded = policy.current()
    key = secrets.token_bytes(32)
    pool = WorkerPool(_pool_settings(options), _rules(loaded, key, options), log.warning)
    board = NoticeBoard(server.event_logger, server)
    names = NameWatch(pool, policy)
    trail = Trail(lambda: _open_log(loaded, user))
    guard = SaveGuard(
        pool=pool,
        policy=policy,
        trail=trail,
        board=board,
        decisions=DecisionRegister(),
        overrides=OverrideBook(),
        results=Results(),
        classes=ClassWatch(policy, trail, board, lambda path: stored.file_of(_manager(server), path)),
        names=names,
        scan_limit=options.scan_limit,
    )
    surroundings = surroundings or Surroundings(server)
    surroundings.settle(loaded)
    _announce(loaded, log)
    for logger in {server.log, get_logger()}:
        logger.addFilter(UnclearedFilter())
    _keep_out(names, (server.log, get_logger(), logging.getLogger()))
    # It quotes the id, also while a notebook is still being judged, and goes past every logger.
    warnings.simplefilter("ignore", DuplicateCellId)

    def changed(now: LoadedPolicy) -> None:
        pool.use_rules(_rules(now, key, options))
        surroundings.use(now)
        guard.trail.policy_loaded(now)
        board.guard(GuardNotice.POLICY, "Another policy is in force for saves.")
        _announce(now, log)

    policy.watch(changed)
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="qguard")
    gate = Gate(guard, UploadSpool(options.upload_dir, options.upload_limit), threads)
    scan = PoolScan(guard)
    refuse_templates(server.web_app.settings["config"])
    export.guard_exports(
        server.web_app.settings["config"], export.ExportRedactor(scan, lambda: policy.current().policy)
    )
    service = GuardService(gate, user, surroundings, hidden=options.hidden)
    assembly = Assembly(server, service, threads, scan)
    service.guarded = assembly.guarded
    assembly.guard_contents()
    return assembly


def _keep_out(names: NameWatch, loggers: Iterable[Any]) -> None:
    """Keep bad names out of what the handlers of *loggers* write, whoever logs it: a logger's filter sees only its own."""
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        handler.addFilter(LogFilter(names))


def _manager(server: Any) -> Any:
    """The contents manager that the server has now."""
    return server.web_app.settings["contents_manager"]


def _pool_settings(options: Options) -> PoolSettings:
    return PoolSettings(
        count=options.workers,
        start_patience=options.start_timeout,
        scan_patience=options.scan_timeout,
        memory=options.memory,
    )


def _rules(loaded: LoadedPolicy, key: bytes, options: Options) -> ScanSettings:
    return ScanSettings(key, dict(loaded.policy.classify), dict(loaded.policy.patterns), options.cache_dir)


def _open_log(loaded: LoadedPolicy, user: str) -> AuditLog:
    """The audit log where the policy wants it. Raises AuditUnavailableError."""
    settings = loaded.policy.audit
    paths = audit_paths(settings.path, os.environ, Path.home())
    identity = Identity(kind=IdentityKind.PERSON, user=user, source="server")
    return AuditLog.open(
        paths.folder, identity, key_path=paths.key, settings=LogSettings(retention_days=settings.retention_days)
    )


def _announce(loaded: LoadedPolicy, log: logging.Logger) -> None:
    for notice in loaded.notices:
        log.warning("jupyter_qguard: %s", notice)
