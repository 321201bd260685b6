"""The grid: every credential in every place, one notebook each, and the truth about where it is.

``python -m benchmarks.grid FOLDER`` writes the notebooks and ``truth.jsonl``. The same seed gives the same grid.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import click

from benchmarks.credentials import Credential, load_credentials
from benchmarks.draft import Draft, Notebook
from benchmarks.marks import Occurrence, harvest
from benchmarks.places import PLACES, Place

SEED = 20261124


@dataclass(frozen=True, slots=True)
class Case:
    """One notebook of the grid."""

    name: str
    credential: Credential
    place: Place
    notebook: Notebook
    occurrences: tuple[Occurrence, ...]

    @property
    def hard(self) -> bool:
        """Whether nobody could tell that this value is a secret."""
        return self.place.hard(self.credential)

    def secrets(self) -> list[list[Occurrence]]:
        """The strings that hold (parts of) each secret."""
        grouped: dict[int, list[Occurrence]] = {}
        for occurrence in self.occurrences:
            grouped.setdefault(occurrence.secret, []).append(occurrence)
        return list(grouped.values())


def make_case(credential: Credential, place: Place, seed: int = SEED) -> Case:
    """Build one notebook. Its random values depend on the seed, the credential and the place alone."""
    digest = hashlib.sha256(f"{seed}/{credential.id}/{place.name}".encode()).digest()
    rng = Random(digest)
    notebook, occurrences = harvest(place.build(Draft(credential, rng)))
    if not occurrences:
        message = f"{place.name} lost the secret of {credential.id}"
        raise ValueError(message)
    return Case(f"{credential.id.replace('/', '.')}@{place.name}", credential, place, notebook, tuple(occurrences))


def make_grid(seed: int = SEED) -> Iterator[Case]:
    """Every combination that makes sense, credentials outermost."""
    for credential in load_credentials():
        for place in PLACES.values():
            if place.suits(credential):
                yield make_case(credential, place, seed)


def write_grid(folder: Path, seed: int = SEED) -> int:
    """Write the notebooks as Jupyter would, and the truth beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with (folder / "truth.jsonl").open("w", encoding="utf-8") as truth:
        for case in make_grid(seed):
            text = json.dumps(case.notebook, ensure_ascii=False, indent=1) + "\n"
            (folder / f"{case.name}.ipynb").write_text(text, encoding="utf-8")
            record = {"name": case.name, "hard": case.hard, "occurrences": [asdict(o) for o in case.occurrences]}
            truth.write(json.dumps(record) + "\n")
            count += 1
    return count


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=SEED, show_default=True)
def main(folder: Path, seed: int) -> None:
    """Write the grid to FOLDER."""
    click.echo(f"{write_grid(folder, seed)} notebooks")


if __name__ == "__main__":
    main()
