"""Settings of all tests."""

import os
import shutil
import tempfile

import pytest
from hypothesis import settings

# Speed is a benchmark and no test: a slow machine must not make an example fail.
# Where CI runs, the same examples each time: what is new is searched for where somebody can look at it.
settings.register_profile("untimed", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Give this run folders below no other run's.

    pytest's own place is shared by all runs of a user, and each that begins closes it to others: to the ordinary users
    that tests of root start programs as, in the midst of a test.
    """
    if config.option.basetemp is None:
        config.option.basetemp = config.made_temp = tempfile.mkdtemp(prefix="pytest-")


def pytest_unconfigure(config):
    """Leave the folders of a run that went wrong, and no others."""
    if getattr(config, "went_well", False):
        shutil.rmtree(config.made_temp, ignore_errors=True)


def pytest_sessionfinish(session, exitstatus):
    """Remember how it went, for :func:`pytest_unconfigure`, which comes when all is closed."""
    session.config.went_well = exitstatus == 0 and hasattr(session.config, "made_temp")
