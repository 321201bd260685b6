from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_qguard.errors import PolicyError
from jupyter_qguard.policy.loaded import Origin
from jupyter_qguard.policy.lookup import (
    default_policy_path,
    load_policy,
    load_policy_or_strictest,
    policy_stamp,
)
from jupyter_qguard.policy.model import STARTER, STRICTEST, Action

HEAD = "apiVersion: qguard/v1\n"
STRICT_OUTPUT = HEAD + "scan: {output: block}\n"
ME = os.geteuid()
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes the owner of files")


class Machine:
    """A floor, a home and an environment of their own."""

    def __init__(self, root: Path) -> None:
        self.floor = root / "etc" / "jupyter-qguard" / "policy.yaml"
        self.home = root / "home"
        self.environ: dict[str, str] = {}

    def write_floor(self, text: str) -> None:
        self.floor.parent.mkdir(parents=True, exist_ok=True)
        for folder in (self.floor.parent, self.floor.parent.parent):
            folder.chmod(0o755)
        self.floor.write_text(text)
        self.floor.chmod(0o644)

    def write_mine(self, text: str) -> Path:
        path = self.home / ".config" / "jupyter-qguard" / "policy.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    def load(self):
        return load_policy(floor_path=self.floor, environ=self.environ, home=self.home, owner=ME)

    def load_or_strictest(self):
        return load_policy_or_strictest(floor_path=self.floor, environ=self.environ, home=self.home, owner=ME)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    tmp_path.chmod(0o755)
    return Machine(tmp_path)


def test_without_any_file_the_starter_applies_and_says_so(machine: Machine) -> None:
    loaded = machine.load()
    assert loaded.policy == STARTER
    assert loaded.sources[0].origin is Origin.BUILT_IN
    assert "only observed" in loaded.notices[0]


def test_the_users_file_applies(machine: Machine) -> None:
    path = machine.write_mine(STRICT_OUTPUT)
    loaded = machine.load()
    assert loaded.policy.scan.output is Action.BLOCK
    assert [(source.origin, source.name) for source in loaded.sources] == [(Origin.USER, str(path))]
    assert len(loaded.sources[0].digest) == 64


def test_the_configuration_folder_can_be_elsewhere(machine: Machine, tmp_path: Path) -> None:
    assert default_policy_path({"XDG_CONFIG_HOME": "/x"}, tmp_path) == Path("/x/jupyter-qguard/policy.yaml")
    assert default_policy_path({"XDG_CONFIG_HOME": "relative"}, tmp_path) == default_policy_path({}, tmp_path)
    assert machine.home in default_policy_path({}, machine.home).parents


def test_a_named_file_wins_over_the_users_and_must_be_there(machine: Machine, tmp_path: Path) -> None:
    machine.write_mine(HEAD + "scan: {output: warn}\n")
    named = tmp_path / "named.yaml"
    machine.environ["QGUARD_POLICY"] = str(named)
    with pytest.raises(PolicyError, match="no such file"):
        machine.load()
    named.write_text(STRICT_OUTPUT)
    assert machine.load().policy.scan.output is Action.BLOCK


def test_the_floor_comes_first_and_a_stricter_file_adds_to_it(machine: Machine) -> None:
    machine.write_floor(HEAD + "scan: {source: redact}\n")
    machine.write_mine(STRICT_OUTPUT + "egress: {deny: [{host: a.example}]}\n")
    loaded = machine.load()
    assert (loaded.policy.scan.source, loaded.policy.scan.output) == (Action.REDACT, Action.BLOCK)
    assert [source.origin for source in loaded.sources] == [Origin.FLOOR, Origin.USER]
    assert len(loaded.policy.egress.deny) == 1


@pytest.mark.parametrize("where", ["home", "named"])
def test_beside_a_floor_a_weaker_file_is_an_error_wherever_it_lies(machine: Machine, where: str) -> None:
    machine.write_floor(HEAD)
    path = machine.write_mine(HEAD + "scan: {source: warn}\n")
    if where == "named":
        machine.environ["QGUARD_POLICY"] = str(path)
    with pytest.raises(PolicyError, match="may only be stricter"):
        machine.load()
    assert machine.load_or_strictest().policy == STRICTEST


def test_an_invalid_policy_stops_the_command_line_and_shuts_a_server(machine: Machine) -> None:
    path = machine.write_mine(HEAD + "skan: {}\n")
    with pytest.raises(PolicyError, match="unknown key `skan`") as caught:
        machine.load()
    assert caught.value.exit_code == 3
    loaded = machine.load_or_strictest()
    assert loaded.strictest
    assert f"{path}:2" in loaded.notices[0]


def open_file(path: Path) -> None:
    path.chmod(0o666)


def open_folder(path: Path) -> None:
    path.parent.chmod(0o777)


def open_folder_above(path: Path) -> None:
    path.parent.parent.chmod(0o777)


@pytest.mark.parametrize("loosen", [open_file, open_folder, open_folder_above])
def test_a_floor_that_others_can_change_gives_the_strictest_policy(machine: Machine, loosen) -> None:
    machine.write_floor(HEAD + "scan: {source: warn}\n")
    assert machine.load().policy.scan.source is Action.WARN
    loosen(machine.floor)
    loaded = machine.load()
    assert loaded.strictest
    assert "not trusted" in loaded.notices[0]
    assert "can be written by others" in loaded.notices[0]


def test_a_floor_taken_away_from_an_open_folder_does_not_set_the_user_free(machine: Machine) -> None:
    machine.write_floor(HEAD)
    open_folder(machine.floor)
    machine.floor.unlink()
    assert machine.load().strictest


def test_a_sticky_folder_does_not_let_others_swap_the_file(machine: Machine) -> None:
    machine.write_floor(STRICT_OUTPUT)
    machine.floor.parent.chmod(0o1777)
    assert machine.load().policy.scan.output is Action.BLOCK


@as_root
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_floor_of_somebody_else_gives_the_strictest_policy(machine: Machine, depth: int) -> None:
    machine.write_floor(HEAD)
    part = (machine.floor, *machine.floor.parents)[depth]
    os.chown(part, 12345, 12345)
    loaded = machine.load()
    assert loaded.strictest
    assert "belongs to user 12345" in loaded.notices[0]


@as_root
def test_a_group_other_than_roots_counts_as_others(machine: Machine) -> None:
    machine.write_floor(HEAD)
    machine.floor.chmod(0o664)
    assert not machine.load().strictest
    os.chown(machine.floor, 0, 12345)
    machine.floor.chmod(0o664)
    assert machine.load().strictest


def test_a_link_of_ours_is_followed_as_clusters_mount_files(machine: Machine) -> None:
    machine.write_floor(HEAD)
    data = machine.floor.parent / "..2027"
    data.mkdir(mode=0o755)
    machine.floor.rename(data / "policy.yaml")
    (data / "policy.yaml").write_text(STRICT_OUTPUT)
    (machine.floor.parent / "..data").symlink_to("..2027")
    machine.floor.symlink_to("..data/policy.yaml")
    assert machine.load().policy.scan.output is Action.BLOCK
    data.chmod(0o777)
    assert machine.load().strictest


@as_root
def test_a_link_of_somebody_else_is_not_trusted(machine: Machine) -> None:
    machine.write_floor(HEAD)
    machine.floor.rename(machine.floor.with_name("real.yaml"))
    machine.floor.symlink_to("real.yaml")
    os.chown(machine.floor, 12345, 12345, follow_symlinks=False)
    assert machine.load().strictest


def test_links_in_a_circle_end(machine: Machine) -> None:
    machine.write_floor(HEAD)
    machine.floor.unlink()
    machine.floor.symlink_to(machine.floor)
    assert machine.load().strictest


def test_a_users_file_that_everybody_can_write_is_refused(machine: Machine) -> None:
    machine.write_mine(HEAD).chmod(0o666)
    with pytest.raises(PolicyError, match="can be written by others"):
        machine.load()
    machine.write_mine(HEAD).chmod(0o664)
    machine.load()


@as_root
def test_a_users_file_of_somebody_else_is_refused(machine: Machine) -> None:
    os.chown(machine.write_mine(HEAD), 12345, 12345)
    with pytest.raises(PolicyError, match="belongs to user 12345"):
        machine.load()


@as_root
def test_another_user_sees_the_same_floor() -> None:
    code = (
        "import os, pathlib, tempfile\n"
        "import jupyter_qguard.policy.parse  # later that user may not read the environment\n"
        "from jupyter_qguard.policy.lookup import load_policy\n"
        "root = pathlib.Path(tempfile.mkdtemp()); root.chmod(0o755)\n"
        "floor = root / 'policy.yaml'\n"
        "floor.write_text('apiVersion: qguard/v1\\nscan: {output: block}\\n'); floor.chmod(0o644)\n"
        "os.setgid(12345); os.setuid(12345)\n"
        "kept = load_policy(floor_path=floor, environ={}, home=root)\n"
        "print(kept.policy.scan.output.label, kept.strictest)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["block", "False"]


@as_root
def test_an_unreadable_floor_is_no_missing_floor() -> None:
    code = (
        "import os, pathlib, tempfile\n"
        "from jupyter_qguard.errors import PolicyError\n"
        "from jupyter_qguard.policy.lookup import load_policy, load_policy_or_strictest\n"
        "root = pathlib.Path(tempfile.mkdtemp()); root.chmod(0o755)\n"
        "floor = root / 'policy.yaml'\n"
        "floor.write_text('apiVersion: qguard/v1\\n'); floor.chmod(0o600)\n"
        "os.setgid(12345); os.setuid(12345)\n"
        "try:\n    load_policy(floor_path=floor, environ={}, home=root)\n"
        "except PolicyError as error:\n    print('cannot be read' in str(error))\n"
        "print(load_policy_or_strictest(floor_path=floor, environ={}, home=root).strictest)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.parametrize("kind", ["folder", "pipe", "bytes", "large"])
def test_what_is_no_text_file_is_an_error_and_never_hangs(machine: Machine, kind: str) -> None:
    path = machine.write_mine(HEAD)
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path, stat.S_IRUSR | stat.S_IWUSR)
    elif kind == "bytes":
        path.write_bytes(b"\xff\xfe\x00")
    else:
        path.write_bytes(b"#" * (2 << 20))
    with pytest.raises(PolicyError, match=str(path)):
        machine.load()


def test_a_byte_order_mark_is_no_error(machine: Machine) -> None:
    machine.write_mine("\ufeff" + STRICT_OUTPUT)
    assert machine.load().policy.scan.output is Action.BLOCK


def test_the_stamp_changes_with_text_owner_rights_and_presence(machine: Machine) -> None:
    def stamp() -> tuple[object, ...]:
        return policy_stamp(floor_path=machine.floor, environ=machine.environ, home=machine.home)

    seen = [stamp()]
    machine.write_floor(HEAD)
    seen.append(stamp())
    assert stamp() == seen[-1]
    machine.write_floor(HEAD + "scan: {}\n")
    seen.append(stamp())
    open_folder(machine.floor)
    seen.append(stamp())
    machine.write_mine(HEAD)
    seen.append(stamp())
    assert len(set(seen)) == len(seen)
