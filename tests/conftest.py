"""Settings of all tests."""

from hypothesis import settings

# Speed is a benchmark and no test: a slow machine must not make an example fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
