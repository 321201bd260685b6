"""What a look at the raw bytes of a notebook has left to be read: the cells that are worth it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_qguard.scan.flow import Source, feeders
from jupyter_qguard.scan.fragment import Fragment, Kind, Unit, cell_unit, outer_unit

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Code(msgspec.Struct):
    """What of a cell is needed to see whether it binds a constant."""

    cell_type: str = "code"
    source: str | list[str] = ""


_CODE = msgspec.json.Decoder(_Code)


@dataclass(frozen=True, slots=True)
class Glance:
    """What of a notebook is to be read."""

    cells: tuple[msgspec.Raw, ...]
    worth: frozenset[int]
    """Numbers of the cells in which something was seen; one more than there are for what is outside of the cells."""
    fed: frozenset[int]
    """Further code cells that may be given a credential by others."""
    vendors: frozenset[str]
    """Vendors whose words stand anywhere."""
    outside: Mapping[str, msgspec.Raw]
    """Everything but the cells."""
    chosen: bool
    """Whether a password is named, which people choose, so that it need not look random."""
    only_labels: bool
    """Whether no credential can be found, only data to be labelled."""

    def units(self) -> list[Unit]:
        """The units that are worth it, and the sources of others, whose constants may be used in them."""
        read = {number: _unit(self.cells[number], number) for number in self.worth if number < len(self.cells)}
        sinks = self.fed | {number for number, unit in read.items() if unit.type == "code"}
        if sinks and not self.only_labels:
            code = {number: _source(cell) for number, cell in enumerate(self.cells)}
            sources = [(number, Source(text)) for number, text in code.items()]
            for number in feeders(sources, sinks, chosen=self.chosen) - read.keys():
                if number in self.fed:
                    read[number] = _unit(self.cells[number], number)
                else:
                    source = Fragment(("source",), code[number], Kind.CODE)
                    read[number] = Unit(("cells", number), number, None, "code", (source,))
        units = [unit for _, unit in sorted(read.items())]
        if len(self.cells) in self.worth:
            units.append(outer_unit({key: _decode(value) for key, value in self.outside.items()}))
        return units

    def metadata(self) -> object:
        """The notebook's metadata where they say anything to us."""
        metadata = self.outside.get("metadata")
        return _decode(metadata) if metadata is not None and b"qguard" in bytes(metadata) else None


def _decode(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.MsgspecError:  # numbers that only Python takes
        return json.loads(bytes(raw))


def _unit(raw: msgspec.Raw, number: int) -> Unit:
    return cell_unit(_decode(raw), ("cells", number), number)


def _source(raw: msgspec.Raw) -> str:
    """The source of a code cell; empty for another one."""
    try:
        code = _CODE.decode(raw)
    except msgspec.MsgspecError:  # shaped like no notebook's: nothing that the scanner takes for code
        return ""
    if code.cell_type != "code":
        return ""
    return code.source if isinstance(code.source, str) else "".join(code.source)
