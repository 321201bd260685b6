"""Generated and mutated notebooks, texts and policies against the guard: ``python -m tests.fuzz``."""
