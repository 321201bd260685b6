"""An attacker inside a real kernel, and a judge outside who believes only what it saw itself: `python -m tests.attack`."""
