"""A lease as a kernel would have it, with values that are nobody's."""

from __future__ import annotations

import datetime as dt
from random import Random

from jupyter_qguard.broker.judge import Judge, Place
from jupyter_qguard.broker.lease import Held, Lease, LeaseBook
from jupyter_qguard.broker.quota import QuotaBook
from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.policy.model import AccessEntry, Environment, Operation
from jupyter_qguard.secret import HandleShape, SecretRef, SecretValue, make_handle

NOW = 1_800_000_000.0
KERNEL = "kernel-1"
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def value(seed: int, length: int = 44) -> str:
    return "".join(Random(seed).choices(_LETTERS, k=length))


def entry(name="ibm/dev", vendor="ibm_quantum", operations=Operation, **more) -> AccessEntry:
    return AccessEntry(
        name=name,
        vendor=vendor,
        secrets={"": SecretRef.parse(f"local://{name}")},
        environment=Environment.DEV,
        owner="tests",
        purpose="tests",
        expires=dt.date(2099, 1, 1),
        operations=frozenset(operations),
        **more,
    )


class Lent:
    """A book with one lease in it, and a judge over it."""

    def __init__(
        self, access: AccessEntry | None = None, *, host="quantum.cloud.ibm.com", kernel=KERNEL, until=NOW + 3600
    ):
        self.now = NOW
        self.entry = access or entry()
        self.vendor = load_catalog().vendors[self.entry.vendor]
        self.book = LeaseBook()
        self.judge = Judge(self.book, QuotaBook(), lambda: self.now)
        self.place = Place(kernel=KERNEL, host=host, entries=(self.entry,), vendor=self.vendor)
        self.secret = value(1)
        self.handle = make_handle(HandleShape.TEXT, length=44)
        self.credential = self.vendor.brokering.secrets[""]
        held = Held(SecretValue(self.secret), self.credential)
        self.lease = Lease("lease-1", kernel, self.entry, self.vendor, until, {self.handle: held})
        self.book.add(self.lease)
        self.token, self.token_handle = value(2), make_handle(HandleShape.TEXT, length=60)

    def exchanged(self) -> str:
        """The handle of a token that an exchange gave."""
        self.book.extend(self.lease, self.token_handle, Held(SecretValue(self.token), "ibm-quantum-iam-token"))
        return self.token_handle
