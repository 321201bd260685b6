"""The table of ``docs/reference/brokering.md``, made of the catalogue. ``python -m tests.catalog.table`` writes it anew."""

from __future__ import annotations

from pathlib import Path

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import Custody, WireForm

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "brokering.md"
BEGIN, END = "% begin of what `python -m tests.catalog.table` writes\n", "% end\n"


def table():
    """Both tables: what is brokered, and what is not."""
    vendors = load_catalog().vendors.values()
    brokered = [each for each in vendors if each.brokering.custody is Custody.BROKERED]
    lines = [
        "| vendor | swapped in | exchange | read and submit apart | variables | limits |",
        "|---|---|---|---|---|---|",
    ]
    for each in brokered:
        cells = (
            f"{each.name} (`{each.id}`)",
            ", ".join(dict.fromkeys(_place(wire) for wire in each.wire if _is_swapped(each, wire))),
            "yes" if each.brokering.exchanges else "",
            "yes" if each.separable else "**no**",
            ", ".join(f"`{variable}`" for variable in each.brokering.variables),
            each.brokering.limits.strip(),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| vendor | custody | why it is not brokered |", "|---|---|---|"]
    lines += [
        f"| {each.name} (`{each.id}`) | {each.brokering.custody.value} | {each.brokering.limits.strip()} |"
        for each in vendors
        if each not in brokered
    ]
    return "\n".join(lines) + "\n"


def _is_swapped(vendor, wire):
    in_body = wire.form in (WireForm.FORM, WireForm.JSON)
    fields = {name for exchange in vendor.brokering.exchanges for name in exchange.fields}
    carried = wire.form in (WireForm.HEADER, WireForm.COOKIE, WireForm.BASIC)
    return wire.swapped and wire.credential and (carried or (in_body and wire.name in fields))


def _place(wire):
    value = f"{wire.scheme} …" if wire.scheme and not wire.scheme.endswith("=") else f"{wire.scheme}…"
    spelled = {
        WireForm.COOKIE: f"Cookie: {wire.name}=…",
        WireForm.BASIC: f"{wire.name}: Basic name:… (base64)",
        WireForm.FORM: f"{wire.name}=… (form)",
        WireForm.JSON: f'{{"{wire.name}": …}}',
    }
    return f"`{spelled.get(wire.form, f'{wire.name}: {value}')}`"


def written(page):
    """What *page* has between the marks."""
    return page.partition(BEGIN)[2].partition(END)[0].strip("\n") + "\n"


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
