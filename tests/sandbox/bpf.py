"""A small interpreter of classic BPF as seccomp runs it, and the calls that it is asked about."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    number: int
    arguments: tuple[int, ...] = (0,) * 6
    architecture: int = 0xC000003E

    def data(self) -> bytes:
        """``struct seccomp_data``."""
        padded = (*self.arguments, *(0,) * (6 - len(self.arguments)))
        return struct.pack("=IIQ6Q", self.number, self.architecture, 0, *padded)


def verdict(program: bytes, call: Call) -> int:
    """What the program returns; an error for whatever Linux would refuse to load or a program cannot do."""
    code = list(struct.iter_unpack("=HBBI", program))
    data = call.data()
    at = accumulator = 0
    while True:
        operation, yes, no, operand = code[at]
        at += 1
        if operation == 0x20:  # ld [k]
            assert operand % 4 == 0
            (accumulator,) = struct.unpack_from("=I", data, operand)
        elif operation == 0x54:  # and #k
            accumulator &= operand
        elif operation == 0x05:  # ja
            at += operand
        elif operation == 0x06:  # ret #k
            return operand
        else:
            tests = {
                0x15: accumulator == operand,
                0x25: accumulator > operand,
                0x35: accumulator >= operand,
                0x45: bool(accumulator & operand),
            }
            at += yes if tests[operation] else no
