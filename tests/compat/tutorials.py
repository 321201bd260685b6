"""Runs notebooks twice without the guard and once with it, and compares their outputs cell by cell.

``python -m tests.compat.tutorials --python KERNEL_PYTHON NOTEBOOK…``, where ``KERNEL_PYTHON`` has ipykernel and what the
notebooks import, and nothing of this package. What two unguarded runs do not agree on (times, random numbers) must be
alike in kind only: the same types of outputs, the same exceptions.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

CELL_PATIENCE = 300
POLICY = "apiVersion: qguard/v1\negress: {mode: enforce, minimum_tier: netns}\n"
NETWORK = re.compile(
    r"qguard: refused|Name or service not known|Temporary failure in name resolution|Network is unreachable"
    r"|urlopen error|ConnectionError|ProxyError|Max retries exceeded|Could not connect to|NewConnectionError"
)
"""How a cell says that a host was not reached: guarded or, on a machine without a network, unguarded."""
_EACH_RUN = re.compile(
    r"0x[0-9a-fA-F]{6,}|\b[0-9a-f]{32}\b|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|/\S*?/tutorials-\w+|ipykernel_\d+/\d+"
)
"""Addresses, ids and folders: other ones in every run."""


@dataclass
class Compared:
    """What came of one notebook."""

    name: str
    cells: int = 0
    same: int = 0
    alike: int = 0
    """Cells that differ between unguarded runs too, and are alike in kind."""
    network: int = 0
    """Cells that differ, where a host was not reached in one of the runs."""
    different: list[tuple[int, object, object]] = field(default_factory=list)
    failed: str = ""


def run(notebook: Path, python: str, *, guarded: bool) -> nbformat.NotebookNode:
    """The notebook after a run in a copy of its folder, by ``jupyter execute``: in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="tutorials-", dir=Path.home()) as place:
        folder = Path(place) / "work"
        shutil.copytree(notebook.parent, folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        home, out = Path(place) / "home", folder / "out.ipynb"
        home.mkdir()
        spec = Path(place) / "share" / "kernels" / "tutorial"
        spec.mkdir(parents=True)
        argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "T", "language": "python"}))
        (Path(place) / "policy.yaml").write_text(POLICY)
        environment = {
            "HOME": str(home),
            "PATH": f"{Path(python).parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "JUPYTER_PATH": str(Path(place) / "share"),
            "JUPYTER_PLATFORM_DIRS": "1",
            "QGUARD_POLICY": str(Path(place) / "policy.yaml"),
            **({"JUPYTER_DEFAULT_PROVISIONER_NAME": "qguard-provisioner"} if guarded else {}),
        }
        command = [str(Path(sys.executable).parent / "jupyter-execute"), "--allow-errors", "--kernel_name=tutorial"]
        command += [f"--timeout={CELL_PATIENCE}", f"--output={out}", str(folder / notebook.name)]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        if not out.exists():
            raise RuntimeError(done.stderr.strip().rpartition("\n")[2][:300])
        return nbformat.read(out, 4)


def plain(value: object) -> object:
    """An output, or a part of it, without what is different in every run."""
    if isinstance(value, str):
        return _EACH_RUN.sub("EACH", value)
    if isinstance(value, dict):
        left_out = {"execution_count", "metadata", "traceback"}
        found = {key: plain(each) for key, each in value.items() if key not in left_out}
        for key in [key for key in found if key.startswith("image/")]:
            found[key] = hashlib.sha256(str(found[key]).encode()).hexdigest()[:12]
        return found
    return [plain(each) for each in value] if isinstance(value, list) else value


def outputs(cell: dict) -> list[dict]:
    """The outputs of a cell; pieces of one stream, which come cut by chance, are one."""
    found: list[dict] = []
    for output in cell.get("outputs", []):
        kin = [each for each in found if each["output_type"] == "stream" and each.get("name") == output.get("name")]
        if output["output_type"] == "stream" and kin:
            kin[0]["text"] += output["text"]
        else:
            found.append(dict(output))
    return [plain(each) for each in found]


def kinds(found: list[dict]) -> list[tuple]:
    """Of what kind outputs are: streams and errors by name, data by MIME type."""
    return sorted(
        {
            (each["output_type"], each.get("name", each.get("ename", "")), *sorted(each.get("data", {})))
            for each in found
        }
    )


def compare(notebook: Path, python: str) -> Compared:
    """Run it three times and compare."""
    result = Compared(notebook.name)
    try:
        first, second, guarded = (run(notebook, python, guarded=guarded) for guarded in (False, False, True))
    except RuntimeError as error:
        result.failed = str(error)
        return result
    for number, cells in enumerate(zip(first.cells, second.cells, guarded.cells, strict=True)):
        if cells[0].cell_type != "code" or not cells[0].source.strip():
            continue
        result.cells += 1
        one, two, three = map(outputs, cells)
        if three in (one, two):
            result.same += 1
        elif NETWORK.search(json.dumps([one, two, three])):
            result.network += 1
        elif one != two and kinds(three) in (kinds(one), kinds(two)):
            result.alike += 1
        else:
            result.different.append((number, one, three))
    return result


def main() -> int:
    """Compare each and print a table row for it; 1 if any differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", required=True)
    parser.add_argument("notebooks", nargs="+", type=Path)
    asked = parser.parse_args()
    bad = 0
    print("| notebook | cells | same | alike | host not reached | different |")
    for notebook in asked.notebooks:
        found = compare(notebook.resolve(), os.path.abspath(asked.python))  # noqa: PTH100 - a link stays one
        bad += bool(found.different or found.failed)
        counts = (found.cells, found.same, found.alike, found.network, len(found.different))
        print(f"| {found.name} | {' | '.join(map(str, counts))} | {found.failed}", flush=True)
        for number, one, three in found.different:
            print(f"  cell {number}\n    unguarded {json.dumps(one)[:1500]}\n    guarded   {json.dumps(three)[:1500]}")
    return int(bad > 0)


if __name__ == "__main__":
    os.environ.pop("JUPYTER_DEFAULT_PROVISIONER_NAME", None)
    raise SystemExit(main())
