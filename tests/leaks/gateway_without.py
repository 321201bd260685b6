"""A gateway with the guard taken out, to show that the suite can fail: the kernel is lent the key itself beside its
handle, and nothing is taken out of answers. Started as the gateway is."""

from __future__ import annotations

import os
import sys

from jupyter_qguard.broker.lending import variables_of
from jupyter_qguard.gateway import brokered, lender
from jupyter_qguard.gateway.__main__ import main


class Nothing:
    """Takes nothing out."""

    def __init__(self, _values):
        pass

    def whole(self, text):
        return text

    feed = whole

    def end(self):
        return b""


def lent(lease):
    values = {handle: held.value.reveal() for handle, held in lease.handles.items()}
    found = variables_of(lease)
    return {name: values.get(text, text) if name == "IONQ_API_KEY" else text for name, text in found.items()}


brokered.Scrubber, lender.variables_of = Nothing, lent

if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
