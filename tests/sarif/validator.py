"""Microsoft's SARIF Multitool: the validator of the format's authors, and the OASIS schema that comes with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import jsonschema

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Verdict:
    """What it says of a file."""

    valid: bool
    text: str


def set_up(cache: Path | None = None) -> Path:
    """The program, fetched once by ``npm ci`` into the user's cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache or base / "jupyter-qguard" / "sarif-multitool"
    program = folder / "node_modules" / "@microsoft" / "sarif-multitool-linux" / "Sarif.Multitool"
    lock = folder / "package-lock.json"
    wanted = (HERE / lock.name).read_bytes()
    if not (program.exists() and lock.exists() and lock.read_bytes() == wanted):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, folder / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        program.chmod(0o755)
    return program


def validate(path: Path, program: Path) -> Verdict:
    """Errors of the schema (which the program itself takes lightly), and errors and warnings of the rules."""
    schema = jsonschema.validators.validator_for(
        rules := json.loads((program.parent / "sarif-2.1.0.json").read_bytes())
    )
    errors = [
        f"{error.json_path}: {error.message}" for error in schema(rules).iter_errors(json.loads(path.read_bytes()))
    ]
    report = path.with_suffix(".validation.sarif")
    command = [str(program), "validate", str(path), "--output", str(report), "--log", "ForceOverwrite"]
    command += ["--rule-kind", "Sarif", "--level", "Error;Warning"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(path.parent), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    environment["DOTNET_BUNDLE_EXTRACT_BASE_DIR"] = str(program.parent / "extracted")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    told = (done.stdout + done.stderr).splitlines()
    errors += [line for line in told if ": error" in line or ": warning" in line]
    valid = not errors and done.returncode == 0 and "Analysis completed successfully." in told
    return Verdict(valid, "\n".join(errors or told))
