"""`python -m tests.attack`: all attacks, unguarded and guarded, and a table."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from tests.attack.start import attack


def main() -> None:
    """Attack and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument(
        "--tier",
        action="append",
        help="none, netns, platform (as root), cooperative; more than once; default none and netns",
    )
    parser.add_argument("--only", default="", help="attacks whose names hold this")
    parser.add_argument("--user", type=int, default=0, help="user id to attack as, where this is root")
    parser.add_argument("--json", type=Path, help="write everything there")
    parser.add_argument("--all", action="store_true", help="print each attack and what it said")
    told = parser.parse_args()
    runs = {tier: attack(tier, only=told.only, user=told.user) for tier in told.tier or ["none", "netns"]}
    for tier, run in runs.items():
        table(tier, run, every=told.all)
    if told.json:
        told.json.write_text(json.dumps(runs, indent=1), encoding="utf-8")


def table(tier: str, run: dict, *, every: bool) -> None:
    """Print one run."""
    results = run["results"]
    counted = [each for each in results if not each["residual"]]
    print(f"\n{tier} (user {run['uid']}, {run['seconds']} s, packets not seen: {run['lost']})")
    print(f"  allowed traffic: {run['controls']}, afterwards {run['controls_after']}")
    for group in dict.fromkeys(each["group"] for each in results):
        counts = Counter(each["outcome"] for each in results if each["group"] == group)
        print(
            f"  {group:<13} held {counts['held']:>3}  through {counts['through']:>3}  not applicable {counts['not applicable']:>3}"
        )
    total = Counter(each["outcome"] for each in counted)
    print(
        f"  {'all':<13} held {total['held']:>3}  through {total['through']:>3}  not applicable {total['not applicable']:>3}"
    )
    for each in results:
        if every or (tier != "none" and each["outcome"] == "through"):
            print(f"  {each['outcome']:<8}{'(residual) ' if each['residual'] else ''}{each['name']}: {each['said']!r}")


if __name__ == "__main__":
    main()
