"""Judges the names under which something is to be written, and keeps bad ones out of everything that is told.

A name is the one part of a write that everybody quotes: the log before the save, the answer, the record, the events.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING
from urllib.parse import quote

from jupyter_qguard.policy.decide import decide_save
from jupyter_qguard.policy.model import Action
from jupyter_qguard.redact.pathname import masked, may_hold_a_secret, text_of
from jupyter_qguard.server.prepared import prepare_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_qguard.scan import Finding
    from jupyter_qguard.server.policy_watch import PolicyWatch
    from jupyter_qguard.server.workers import WorkerPool

    _Key = tuple[str, int, tuple[str | None, ...]]

_KEPT = 4096
_BAD_KEPT = 256
_BAD_BODY = "Bad JSON: %r"
"""With which Jupyter logs the whole of a request whose JSON is broken, when it debugs."""
_UNCHECKED = "[a name that was not checked]"


class NameWatch:
    """Remembers what was found in names. Safe for several threads."""

    def __init__(self, pool: WorkerPool, policy: PolicyWatch) -> None:
        """Scan in *pool*, and act on what *policy* acts on in texts; nothing can be replaced in a name."""
        self._pool = pool
        self._policy = policy
        self._lock = threading.Lock()
        self._shown: OrderedDict[_Key, str] = OrderedDict()
        """Names as they may be told: the same for a good one."""
        self._bad: OrderedDict[str, str] = OrderedDict()
        """In every way in which a name may be quoted, with what is told in its place."""

    def judge(self, path: str) -> tuple[str, bool]:
        """How *path* may be told, and whether it may be written. Blocks. Raises what a scan raises."""
        path = path.strip("/")
        if not may_hold_a_secret(path):
            return path, True
        key = self._key(path)
        with self._lock:
            known = self._shown.get(key)
        if known is None:
            known = masked(path, self._find(path))
            self._keep(key, known)
        return known, known == path

    def note(self, path: str) -> None:
        """Judge *path* so that the log knows it. Blocks; never raises: without a verdict it is not told."""
        try:
            self.judge(path)
        except Exception:  # noqa: BLE001 - the write itself will be refused, with the reason
            path = path.strip("/")
            with self._lock:
                self._bad.update(_quoted(path, "/".join([_UNCHECKED] * (path.count("/") + 1))))

    def shown(self, path: str) -> str:
        """How *path* may be told, as far as is known. Does not block."""
        path = path.strip("/")
        if not may_hold_a_secret(path):
            return path
        with self._lock:
            return self._shown.get(self._key(path), _UNCHECKED)

    def clean(self, text: str) -> str:
        """*text* without names that were found bad. Does not block."""
        with self._lock:
            bad = list(self._bad.items())
        for name, told in bad:
            text = text.replace(name, told)
        return text

    def _find(self, path: str) -> tuple[Finding, ...]:
        data = text_of(path).encode("utf-8", "surrogatepass")
        result = self._pool.scan(prepare_bytes(data, "name"), "name")
        policy = self._policy.current().policy
        verdict = decide_save(policy, result, today=dt.datetime.now(dt.timezone.utc).date(), path=path)
        if verdict.action not in (Action.BLOCK, Action.REDACT):
            return ()
        return (*verdict.by_action[Action.BLOCK], *verdict.by_action[Action.REDACT])

    def _key(self, path: str) -> _Key:
        digests = tuple(source.digest for source in self._policy.current().sources)
        return path, self._pool.generation, digests

    def _keep(self, key: _Key, shown: str) -> None:
        path = key[0]
        with self._lock:
            self._shown[key] = shown
            while len(self._shown) > _KEPT:
                self._shown.popitem(last=False)
            if shown != path:
                self._bad.update(_quoted(path, shown))
                while len(self._bad) > _BAD_KEPT:
                    self._bad.popitem(last=False)


def _quoted(path: str, shown: str) -> Iterable[tuple[str, str]]:
    """The parts of a bad name as logs quote them: plain, in a URL, and as Python writes a string."""
    for part, told in zip(path.split("/"), shown.split("/"), strict=True):
        if part != told:
            forms = {part, quote(part), quote(part, safe="=:@+,;~!$&'()*"), quote(part, safe=""), repr(part)[1:-1]}
            yield from ((form, told) for form in sorted(forms, key=len, reverse=True))


class LogFilter(logging.Filter):
    """Keeps names that were found bad out of a log, and bodies of requests. For handlers: a logger's filters do not see its children's records."""

    def __init__(self, names: NameWatch) -> None:
        """Ask *names*."""
        super().__init__()
        self._names = names

    def filter(self, record: logging.LogRecord) -> bool:
        """True; the record is changed where it must be."""
        if record.msg == _BAD_BODY:
            record.args = ("(not shown)",)
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a wrong format is the handler's to complain about
            return True
        cleaned = self._names.clean(text)
        if cleaned != text:
            record.msg, record.args = cleaned, None
        if record.exc_text or record.exc_info:
            lines = logging.Formatter().formatException(record.exc_info) if record.exc_info else record.exc_text or ""
            record.exc_text = self._names.clean(lines)
        return True
