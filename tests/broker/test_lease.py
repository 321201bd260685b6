"""Leases: what they hold, and how much of it."""

from __future__ import annotations

from jupyter_qguard.broker.lease import Held
from jupyter_qguard.secret import HandleShape, SecretValue, make_handle
from tests.broker.lent import NOW, Lent


def test_signing_in_again_and_again_fills_no_memory_and_takes_no_handle_of_the_entry_itself():
    lent = Lent()
    given = [make_handle(HandleShape.TEXT) for _ in range(300)]
    for number, handle in enumerate(given):
        lent.book.extend(lent.lease, handle, Held(SecretValue(f"token {number}"), "any", until=NOW + 60))
    assert len(lent.lease.handles) == 257
    assert lent.book.find(given[0]) is None
    assert lent.book.find(given[-1]) is lent.lease
    assert lent.book.find(lent.handle) is lent.lease
