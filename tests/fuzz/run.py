"""Runs the checks: so many inputs from so many seeds, each within a time limit."""

from __future__ import annotations

import faulthandler
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from time import perf_counter, process_time
from types import FrameType

from jupyter_qguard.scan import Scanner, ScanSettings
from tests.fuzz.policies import POLICY_CHECKS
from tests.fuzz.properties import CHECKS, Check, Guard

LIMIT = 5.0
"""Seconds of processor time for one input of at most a few kilobytes: a hundred times what the slowest needs."""
BATCH = 500
"""Inputs that one worker runs before it hands in its outcome."""
_STUCK = 120
"""Seconds after which the process is given up with a traceback of where it hangs."""


class HangError(Exception):
    """An input took longer than the limit."""


@dataclass(slots=True)
class Outcome:
    """What a run found."""

    inputs: int = 0
    slowest: float = 0.0
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Inputs by check."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise HangError in the block after so much processor time; end the process if even that does not help."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    faulthandler.dump_traceback_later(_STUCK, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def load_guard() -> Guard:
    """The scanner under test."""
    return Scanner.load(ScanSettings(fingerprint_key=bytes(32)))


def run_batch(first: int) -> Outcome:
    """One batch of a long run, in a worker process."""
    return run(load_guard(), first, BATCH)


def run(guard: Guard, first: int, count: int, seconds: float = float("inf"), checks: tuple[Check, ...] = ()) -> Outcome:
    """Run input numbers ``[first, first + count)``, or as many as fit into the time. A number repeats its input."""
    outcome = Outcome()
    started = perf_counter()
    every = checks or CHECKS + POLICY_CHECKS
    for number in range(first, first + count):
        if perf_counter() - started > seconds:
            break
        check = every[number % len(every)]
        problem, spent = one(guard, check, number)
        outcome.inputs += 1
        outcome.counts[check.__name__] += 1
        outcome.slowest = max(outcome.slowest, spent)
        if problem:
            outcome.violations.append(f"input {number} ({check.__name__}): {problem}")
    return outcome


def one(guard: Guard, check: Check, number: int) -> tuple[str, float]:
    """Run one input. Gives what is wrong, if anything, and the processor time."""
    started = process_time()
    try:
        with time_limit(LIMIT):
            check(guard, Random(number))
    except HangError:
        return f"took more than {LIMIT} s", LIMIT
    except Exception as error:  # noqa: BLE001 - any exception is what is looked for
        return f"{type(error).__name__}: {error}", process_time() - started
    return "", process_time() - started
