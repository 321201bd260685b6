"""What every vault source must do, as tests: for those that come with the guard and for those of third parties.

Derive a class from :class:`SourceContract` (from :class:`WritableContract` for one that stores), say how to make a
source and put a secret into its vault, and let pytest collect it::

    class TestExampleSource(SourceContract):
        def make(self): return ExampleSource(settings(...))
        def make_unreachable(self): return ExampleSource(settings(address="http://127.0.0.1:9"))
        def plant(self, path, fields, labels): ...
        def unplant(self, path): ...

Against a real vault, as far as there is one: a test of a mock shows what its author thinks.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import itertools
import logging
import os
import secrets
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault.errors import SecretMissingError, SourceUnavailableError, VaultError
from jupyter_qguard.vault.governance import Governance
from jupyter_qguard.vault.source import PATIENCE, WritableSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jupyter_qguard.vault.source import VaultSource

LABELS = {"owner": "quantum-platform", "purpose": "contract tests", "environment": "dev", "expires": "2999-12-31"}
_number = itertools.count(1)


def canary() -> str:
    """A value that nobody else has, to be searched for in all that was written anywhere."""
    return f"qgcanary{secrets.token_hex(20)}"


@contextlib.contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """All that any library logs at its most talkative, with what ``http.client`` prints and the text of tracebacks."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)r"))
    root = logging.getLogger()
    before, talkative = root.level, http.client.HTTPConnection.debuglevel
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    http.client.HTTPConnection.debuglevel = 1
    try:
        with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
            yield heard
    finally:
        http.client.HTTPConnection.debuglevel = talkative
        root.setLevel(before)
        root.removeHandler(handler)


class SourceContract:
    """The tests of a source that reads. Override the first five methods."""

    fields_at_once = True
    """Whether one secret can have several fields."""
    labels_apart = True
    """Whether a secret can be planted without its labels."""

    def make(self) -> VaultSource:
        """A source that can be used, made anew."""
        raise NotImplementedError

    def make_unreachable(self) -> VaultSource | None:
        """A source whose vault is away; None where there is nothing that could be away."""
        raise NotImplementedError

    def plant(self, path: str, fields: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """Put a secret into the vault, or a new version of it, by other means than the source where there are any."""
        raise NotImplementedError

    def unplant(self, path: str) -> None:
        """Remove it."""
        raise NotImplementedError

    def new_path(self) -> str:
        """A path that nothing lies at."""
        return f"contract/{os.getpid()}-{next(_number)}"

    def logged_secrets(self) -> tuple[str, ...]:
        """Values besides those of secrets that must not be logged: tokens and keys the source signs in with."""
        return ()

    # ------------------------------------------------------------------------------------------------------------------

    def test_it_is_viable(self) -> None:
        assert self.make().viable() == ""

    def test_what_was_planted_is_read_with_its_labels(self) -> None:
        path, value = self.new_path(), canary()
        self.plant(path, {"api_key": value}, LABELS)
        found = self.make().read(path)
        assert {name: held.reveal() for name, held in found.fields.items()} == {"api_key": value}
        assert Governance.from_labels(found.labels) == Governance.from_labels(LABELS)

    def test_a_secret_of_several_fields_is_read_whole(self) -> None:
        if not self.fields_at_once:
            return
        path, values = self.new_path(), {"access_key_id": canary(), "secret_access_key": canary()}
        self.plant(path, values, LABELS)
        found = self.make().read(path)
        assert {name: held.reveal() for name, held in found.fields.items()} == values

    def test_a_value_comes_back_as_it_is(self) -> None:
        """Lines, quotes and signs of other scripts: a private key has them, and so have passwords."""
        path, value = self.new_path(), f'{canary()}\n"ä" \\ {{}} \N{GREEK SMALL LETTER PSI}\t#%'
        self.plant(path, {"key": value}, LABELS)
        assert self.make().read(path).fields["key"].reveal() == value

    def test_a_secret_without_labels_is_read_without_them(self) -> None:
        """That it is not handed out is decided elsewhere, and the same for every source."""
        if not self.labels_apart:
            return
        path = self.new_path()
        self.plant(path, {"api_key": canary()}, {})
        assert not set(self.make().read(path).labels) & set(LABELS)

    def test_a_new_value_is_a_new_version(self) -> None:
        path, source = self.new_path(), self.make()
        self.plant(path, {"api_key": canary()}, LABELS)
        first = source.read(path)
        value = canary()
        self.plant(path, {"api_key": value}, LABELS)
        second = source.read(path)
        assert first.version != second.version
        assert second.fields["api_key"].reveal() == value

    def test_what_is_not_there_is_missing(self) -> None:
        path = self.new_path()
        error = self._refused(self.make(), path)
        assert isinstance(error, SecretMissingError)
        assert path in str(error)

    def test_what_was_removed_is_missing(self) -> None:
        path, value, source = self.new_path(), canary(), self.make()
        self.plant(path, {"api_key": value}, LABELS)
        assert source.read(path).fields
        self.unplant(path)
        error = self._refused(source, path)
        assert isinstance(error, SecretMissingError)
        assert value not in str(error)

    def test_a_vault_that_is_away_is_said_to_be(self) -> None:
        source = self.make_unreachable()
        if source is None:
            return
        started = time.monotonic()
        error = self._refused(source, self.new_path())
        assert isinstance(error, SourceUnavailableError)
        assert time.monotonic() - started < 3 * PATIENCE

    def test_nothing_prints_or_logs_a_value(self) -> None:
        path, missing, value = self.new_path(), self.new_path(), canary()
        with everything_logged() as heard:
            # Planted with the loudest logging, too: what the means of planting log is not the source's doing.
            self.plant(path, {"api_key": value}, LABELS)
            heard.seek(0)
            heard.truncate()
            source = self.make()
            found = source.read(path)
            print(repr(found), repr(source))  # noqa: T201 - to be searched
            try:
                source.read(missing)
            except VaultError:
                traceback.print_exc()
            source.renew()
            source.close()
        said = heard.getvalue()
        assert found.fields["api_key"].reveal() == value
        for each in (value, *self.logged_secrets()):
            assert each not in said, "a value was printed or logged"

    def test_many_threads_may_read(self) -> None:
        path, value, source = self.new_path(), canary(), self.make()
        self.plant(path, {"api_key": value}, LABELS)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: source.read(path).fields["api_key"].reveal(), range(24)))
        assert set(found) == {value}

    def test_closing_twice_does_no_harm(self) -> None:
        source = self.make()
        wait = source.renew()
        assert wait is None or wait > 0
        source.close()
        source.close()

    def _refused(self, source: VaultSource, path: str) -> VaultError:
        try:
            source.read(path)
        except VaultError as error:
            return error
        message = "it was read"
        raise AssertionError(message)


class WritableContract(SourceContract):
    """The tests of a source that stores, too."""

    def writable(self) -> WritableSource:
        """The source of :meth:`make`, as one that stores."""
        source = self.make()
        assert isinstance(source, WritableSource)
        return source

    def test_what_was_written_is_read(self) -> None:
        path, value, source = self.new_path(), canary(), self.writable()
        version = source.write(path, "api_key", SecretValue(value), LABELS)
        found = self.make().read(path)
        assert (found.fields["api_key"].reveal(), found.version) == (value, version)
        assert Governance.from_labels(found.labels) == Governance.from_labels(LABELS)

    def test_writing_one_field_keeps_the_others_and_renews_the_labels(self) -> None:
        path, values, source = self.new_path(), (canary(), canary(), canary()), self.writable()
        source.write(path, "first", SecretValue(values[0]), LABELS)
        source.write(path, "second", SecretValue(values[1]), LABELS)
        source.write(path, "second", SecretValue(values[2]), {**LABELS, "owner": "another"})
        found = source.read(path)
        assert {name: held.reveal() for name, held in found.fields.items()} == {
            "first": values[0],
            "second": values[2],
        }
        assert found.labels["owner"] == "another"

    def test_what_the_source_removed_is_gone(self) -> None:
        path, source = self.new_path(), self.writable()
        source.write(path, "api_key", SecretValue(canary()), LABELS)
        source.remove(path)
        assert isinstance(self._refused(source, path), SecretMissingError)
        assert path not in list(source.paths())

    def test_removing_what_is_not_there_is_an_error(self) -> None:
        path, error = self.new_path(), None
        try:
            self.writable().remove(path)
        except SecretMissingError as caught:
            error = caught
        assert error is not None
        assert path in str(error)

    def test_a_write_is_not_logged(self) -> None:
        path, value = self.new_path(), canary()
        with everything_logged() as heard:
            self.writable().write(path, "api_key", SecretValue(value), LABELS)
        for each in (value, *self.logged_secrets()):
            assert each not in heard.getvalue(), "a value was printed or logged"


__all__ = ["LABELS", "SourceContract", "WritableContract", "canary", "everything_logged"]
