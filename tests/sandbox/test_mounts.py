"""The files of a kernel: which rule holds where, and what bubblewrap makes of it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.sandbox.errors import FilesError
from jupyter_qguard.sandbox.mounts import (
    OWN_AT_HOME,
    SHARED,
    Access,
    Kind,
    Layout,
    bwrap_arguments,
    rules_of,
)
from jupyter_qguard.sandbox.places import HIDDEN_AT_HOME, READ_ONLY_AT_HOME

HOME = Path("/home/ada")
LAYOUT = Layout(
    home=HOME,
    workspace=HOME / "work",
    connection_dir=HOME / ".local/share/jupyter/runtime/k1",
    interpreters=(Path("/opt/env"),),
    resolv_conf=Path("/guard/resolv.conf"),
    hidden=(),
    read_only=(),
    read_write=(),
    overlay=None,
)


def folder(_: Path) -> Kind:
    return Kind.FOLDER


def mounts(arguments: list[str]) -> list[tuple[str, str, str]]:
    """(option, source, destination) in their order."""
    found, at = [], 0
    while at < len(arguments):
        option = arguments[at]
        if option in ("--bind", "--ro-bind", "--dev-bind"):
            found.append((option, arguments[at + 1], arguments[at + 2]))
        elif option in ("--tmpfs", "--remount-ro", "--proc", "--dev"):
            found.append((option, "", arguments[at + 1]))
        takes = {"--bind": 2, "--ro-bind": 2, "--dev-bind": 2, "--perms": 1, "--cap-drop": 1}
        at += 1 + takes.get(option, 1 if option in ("--tmpfs", "--remount-ro", "--proc", "--dev") else 0)
    return found


def at(layout: Layout, path: Path | str, exists=folder, resolve=str) -> Access:
    """What a kernel may do at *path*, by replaying the mounts as Linux makes them: the last one above it is seen."""
    state = Access.READ_ONLY
    below = "/"
    for option, source, where in mounts(bwrap_arguments(layout, exists, resolve)):
        if not Path(path).is_relative_to(where):
            continue
        if option == "--remount-ro":
            if where == below:
                state = Access.HIDDEN
            continue
        below = where
        writable = {"--bind": Access.READ_WRITE, "--dev-bind": Access.READ_WRITE, "--ro-bind": Access.READ_ONLY}
        state = Access.HIDDEN if source == os.devnull else writable.get(option, Access.PRIVATE)
    return state


def changed(**changes) -> Layout:
    return dataclasses.replace(LAYOUT, **changes)


def test_what_is_not_named_is_read_only():
    for path in ("/usr/bin/python3", "/etc/passwd", HOME / "notes", "/srv/data", HOME / ".bashrc", HOME / ".new"):
        assert at(LAYOUT, path) is Access.READ_ONLY
    assert at(LAYOUT, HOME / "work/a/b") is Access.READ_WRITE
    for path in SHARED:
        assert at(LAYOUT, Path(path) / "x") is Access.PRIVATE


@pytest.mark.parametrize("name", HIDDEN_AT_HOME)
def test_credentials_and_the_guards_own_are_hidden(name):
    assert at(LAYOUT, HOME / name) is Access.HIDDEN
    assert at(changed(workspace=HOME), HOME / name) is Access.HIDDEN


@pytest.mark.parametrize("name", READ_ONLY_AT_HOME)
def test_what_others_run_is_read_only_even_where_the_policy_opens_what_holds_it(name):
    opened = changed(workspace=HOME, read_write=tuple(HOME / part for part in (".local", ".config")))
    assert at(opened, HOME / name / "x") is Access.READ_ONLY


@pytest.mark.parametrize(("own", "kept"), [(own, name) for own, names in OWN_AT_HOME.items() for name in names])
def test_a_folder_of_a_librarys_settings_is_the_kernels_own_and_what_it_reads_stays(own, kept):
    for layout in (LAYOUT, changed(workspace=HOME, home_writable=True), changed(read_write=(HOME / ".config",))):
        assert at(layout, HOME / own / "new") is Access.PRIVATE
        assert at(layout, HOME / own / kept) is Access.READ_ONLY


def test_only_the_connection_folder_of_this_kernel_is_there():
    runtime = HOME / ".local/share/jupyter/runtime"
    assert at(LAYOUT, runtime / "k1/k-1") is Access.READ_WRITE
    assert at(LAYOUT, runtime / "k2/k-1") is Access.HIDDEN
    assert at(LAYOUT, runtime / "jpserver-1.json") is Access.HIDDEN


@pytest.mark.parametrize("workspace", [HOME, Path("/home"), Path("/")])
def test_a_home_as_workspace_is_writable_by_its_entries_alone(workspace):
    layout = changed(workspace=workspace, home_entries=(HOME / "work", HOME / "data.csv"))
    assert at(layout, HOME / "work/x") is Access.READ_WRITE
    assert at(layout, HOME / "data.csv") is Access.READ_WRITE
    for name in (".bash_profile", ".local/lib/python3/x.pth", ".xsessionrc", "new.txt"):
        assert at(layout, HOME / name) is Access.READ_ONLY
    assert at(layout, HOME / ".config/new") is Access.HIDDEN
    assert at(layout, "/home/eve/x") is Access.READ_ONLY
    assert at(layout, "/etc/x") is Access.READ_ONLY


def test_repositories_cannot_be_configured_nor_renamed_away():
    layout = changed(repositories=(HOME / "work/a/repo",))
    for path in ("work/.git/config", "work/a/repo/.git/hooks/x", "work/a/repo/.vscode/tasks.json", "work/.idea"):
        assert at(layout, HOME / path) is Access.READ_ONLY
    points = {where for _, _, where in mounts(bwrap_arguments(layout, folder, str))}
    assert {str(HOME / "work"), str(HOME / "work/a"), str(HOME / "work/a/repo")} <= points
    opened = changed(read_write=(HOME / "work/.git",))
    assert at(opened, HOME / "work/.git/config") is Access.READ_WRITE


def test_of_a_home_folder_only_what_was_there_is_seen():
    layout = changed(home_seen=(HOME / "data", HOME / ".tool", HOME / ".bashrc"), home_links=((HOME / "l", "/srv/x"),))
    for path in ("data/x", ".tool/x", ".bashrc", ".local/lib/x", ".config/dask/x"):
        assert at(layout, HOME / path) is Access.READ_ONLY
    for path in (".later", "later", ".netrc", ".config/later/token", ".local/share/later", ".local/later"):
        assert at(layout, HOME / path) is Access.HIDDEN
    assert at(layout, HOME / "work/x") is Access.READ_WRITE
    arguments = bwrap_arguments(layout, folder, str)
    assert arguments[arguments.index("--symlink") + 1 :][:2] == ["/srv/x", str(HOME / "l")]


def test_folders_that_variables_put_elsewhere_are_as_those_at_home():
    layout = changed(workspace=HOME, home_writable=True, moved=((".config", HOME / "c"), (".ipython", HOME / "i")))
    assert at(layout, HOME / "c/gh/hosts.yml") is Access.HIDDEN
    assert at(layout, HOME / "c/autostart/x") is Access.READ_ONLY
    assert at(layout, HOME / "i/history") is Access.PRIVATE
    assert at(layout, HOME / "i/profile_default/startup/x") is Access.READ_ONLY


@pytest.mark.parametrize("home_writable", [True, False])
def test_no_folder_on_the_way_to_what_is_protected_can_be_renamed(home_writable):
    deep = HOME / "work/a/b/env"
    layout = changed(workspace=HOME, home_writable=home_writable, home_entries=(HOME / "work",), interpreters=(deep,))
    points = {where for option, _, where in mounts(bwrap_arguments(layout, folder, str)) if option == "--bind"}
    assert {str(deep.parent), str(deep.parent.parent)} <= points
    assert at(layout, deep / "bin/python") is Access.READ_ONLY


def test_an_environment_stays_read_only_wherever_it_lies():
    layout = changed(interpreters=(HOME / "work/.venv", Path("/tmp/env"), HOME / ".ssh/env"))
    for path in (HOME / "work/.venv/lib", "/tmp/env/bin", HOME / ".ssh/env"):
        assert at(layout, path) is Access.READ_ONLY if ".ssh" not in str(path) else True
    assert at(changed(interpreters=(HOME / "work",)), HOME / "work/x") is Access.READ_ONLY
    assert at(changed(read_write=(Path("/opt/env"),), interpreters=(Path("/opt/env"),)), "/opt/env") is Access.READ_ONLY


def test_a_workspace_below_what_is_hidden_or_private_is_there():
    for workspace in (Path("/tmp/work"), HOME / ".aws/notebooks", Path("/run/user/1000/nb")):
        layout = changed(workspace=workspace)
        assert at(layout, workspace / "x") is Access.READ_WRITE
        assert at(layout, workspace.parent / "other") in (Access.PRIVATE, Access.HIDDEN)
    assert at(changed(workspace=HOME / ".ssh"), HOME / ".ssh/x") is Access.HIDDEN


def test_caches_and_what_kernels_install_go_to_the_overlay():
    assert at(LAYOUT, HOME / ".cache/pip") is Access.PRIVATE
    own = HOME / ".local/share/jupyter-qguard"
    layout = changed(overlay=own / "kernels", cache=own / "kernels-cache")
    found = mounts(bwrap_arguments(layout, folder, str))
    assert ("--bind", f"{layout.cache}", f"{HOME}/.cache") in found
    assert at(layout, layout.cache) is Access.HIDDEN
    assert at(layout, layout.overlay / "lib") is Access.READ_WRITE
    assert at(layout, layout.overlay.parent / "vault") is Access.HIDDEN


def test_of_the_machines_own_cache_a_kernel_gets_nothing_writable():
    """What lies there other programs load: models, wheels, browsers."""
    own, cache = Path("/guard/cache"), HOME / ".cache"
    environment = cache / "uv/environments/one"
    layout = changed(cache=own, interpreters=(environment,), hidden=(cache / "huggingface/token",))
    below = [each for each in mounts(bwrap_arguments(layout, folder, str)) if Path(each[2]).is_relative_to(cache)]
    assert below == [("--bind", str(own), str(cache)), ("--ro-bind", str(environment), str(environment))]


def test_what_the_policy_opens_in_the_cache_hides_its_keys_as_elsewhere():
    own, models = HOME / ".local/share/jupyter-qguard", HOME / ".cache/huggingface"
    layout = changed(overlay=own / "kernels", cache=own / "kernels-cache", read_write=(models,))
    assert at(layout, models / "hub") is Access.READ_WRITE
    assert at(layout, models / "token") is Access.HIDDEN


def test_nothing_is_mounted_from_a_folder_that_a_kernel_writes():
    layout = changed(
        overlay=HOME / "own/kernels", cache=HOME / "own/kernels-cache", read_write=(Path("/srv/data"),), workspace=HOME
    )
    for option, source, where in mounts(bwrap_arguments(layout, folder, str)):
        if option in ("--bind", "--ro-bind") and source not in (where, os.devnull):
            assert at(layout, Path(source).parent) in (Access.READ_ONLY, Access.HIDDEN), (source, where)


def test_ipython_may_write_its_folder_and_its_settings_stay():
    assert at(LAYOUT, HOME / ".ipython/profile_default/history.sqlite") is Access.PRIVATE
    assert at(LAYOUT, HOME / ".ipython/profile_default/startup/0.py") is Access.READ_ONLY


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/home",
        "/home/ada",
        "/etc",
        "/etc/cron.d",
        "/usr/local",
        "/run/docker.sock",
        "/proc",
        "/sys",
        "/dev",
        "/var",
    ]
    + [
        f"/home/ada/{name}"
        for name in (".ssh", ".ssh/known_hosts", ".aws/config", ".config/jupyter-qguard/policy.yaml")
    ],
)
def test_the_policy_cannot_make_it_writable(path):
    with pytest.raises(FilesError, match="must not be writable"):
        bwrap_arguments(changed(read_write=(Path(path),)), folder, str)


def test_the_policy_cannot_make_it_writable_by_a_link():
    link, target = "/srv/link", "/home/ada/.ssh"
    with pytest.raises(FilesError, match="must not be writable"):
        bwrap_arguments(changed(read_write=(Path("/srv/link/x"),)), folder, lambda path: path.replace(link, target))


def test_entries_of_the_policy_shape_the_rest():
    layout = changed(
        read_write=(Path("/srv/data"), Path("/dev/dri")),
        read_only=(Path("/srv/data/raw"), HOME / "work/frozen"),
        hidden=(Path("/srv/secret"), HOME / "work/private"),
    )
    assert at(layout, "/srv/data/x") is Access.READ_WRITE
    assert at(layout, "/srv/data/raw/x") is Access.READ_ONLY
    assert at(layout, HOME / "work/frozen/x") is Access.READ_ONLY
    assert at(layout, HOME / "work/private/x") is Access.HIDDEN
    assert at(layout, "/srv/secret/x") is Access.HIDDEN
    assert ("--dev-bind", "/dev/dri", "/dev/dri") in mounts(bwrap_arguments(layout, folder, str))


def test_what_is_missing_is_not_made_and_what_is_needed_is_asked_for():
    there = {"/home/ada", "/home/ada/work", "/home/ada/.local/share/jupyter/runtime/k1", "/guard/resolv.conf"}

    def exists(path: Path) -> Kind:
        return Kind.FOLDER if str(path) in there else Kind.MISSING

    made = {where for _, _, where in mounts(bwrap_arguments(LAYOUT, exists, str))}
    assert made == {"/", "/proc", "/proc/sys", "/dev", "/etc/resolv.conf"} | there - {"/guard/resolv.conf", "/home/ada"}
    for needed in ("/guard/resolv.conf", "/home/ada/.local/share/jupyter/runtime/k1"):
        there.discard(needed)
        with pytest.raises(FilesError, match=needed):
            bwrap_arguments(LAYOUT, exists, str)
        there.add(needed)


parts = st.sampled_from(["a", "b", ".ssh", "work", ".config", ".git"])
paths = st.lists(parts, min_size=1, max_size=4).map(lambda names: HOME.joinpath(*names))
several = st.lists(paths, max_size=3).map(tuple)


@given(several, several, several, paths, paths)
def test_the_nearest_rule_holds_in_any_order(hidden, read_only, interpreters, workspace, probe):
    layout = changed(hidden=hidden, read_only=read_only, interpreters=interpreters, workspace=workspace)
    rules = rules_of(layout, lambda path: path)
    nearest = next((rules[path] for path in (probe, *probe.parents) if path in rules), None)
    assert at(layout, probe) is (nearest.access if nearest else Access.READ_ONLY)
    reordered = changed(
        hidden=hidden[::-1], read_only=read_only[::-1], interpreters=interpreters[::-1], workspace=workspace
    )
    assert bwrap_arguments(reordered, folder, str) == bwrap_arguments(layout, folder, str)


@given(several, paths)
def test_no_entry_of_the_policy_shows_or_opens_a_credential(read_write, probe):
    try:
        found = at(changed(read_write=read_write), HOME / ".ssh" / probe.relative_to(HOME))
    except FilesError:
        return
    assert found is Access.HIDDEN


def kind_of(path: Path) -> Kind:
    return Kind.FOLDER if path.is_dir() else Kind.FILE if path.exists() else Kind.MISSING


@pytest.fixture
def real(tmp_path) -> Layout:
    """A home folder below /tmp, with a link, a socket, keys, and two kernels."""
    home = tmp_path / "home"
    for name in ("work/.git", ".keys", ".cache", ".ipython/profile_default/startup", ".config/autostart"):
        (home / name).mkdir(parents=True)
    (home / ".ssh").symlink_to(home / ".keys")
    (home / ".keys/id").write_text("key")
    (home / ".netrc").write_text("key")
    (home / ".bashrc").write_text("true\n")
    for kernel in ("k1", "k2"):
        (home / ".local/share/jupyter/runtime" / kernel).mkdir(parents=True)
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.53\n")
    return Layout(
        home, home / "work", home / ".local/share/jupyter/runtime/k1", (Path(sys.prefix),), resolv, (), (), (), None
    )


def inside(layout: Layout, script: str) -> list[str]:
    """The lines that a shell prints inside."""
    bwrap = shutil.which("bwrap")
    assert bwrap, "the package bubblewrap is needed for these tests"
    command = [bwrap, *bwrap_arguments(layout, kind_of), "--chdir", str(layout.home), "--", "/bin/sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.e2e
def test_bubblewrap_makes_what_the_rules_say(real):
    runtime = real.connection_dir.parent
    writable = ["work/new", f"{real.connection_dir}/new", "/tmp/new", "/dev/shm/new", ".cache/new", ".ipython/new"]
    refused = ["new", ".bashrc", ".bash_profile", ".ssh/new", ".keys/new", "work/.git/config", ".config/autostart/x"]
    refused += [".ipython/profile_default/startup/0.py", f"{runtime}/k2/x", f"{runtime}/x", f"{sys.prefix}/x", "/usr/x"]
    every = [*writable, *refused]
    script = "; ".join(f"if (: >> {path}) 2>&-; then echo yes; else echo no; fi" for path in every)
    assert dict(zip(every, inside(real, script), strict=True)) == {
        **dict.fromkeys(writable, "yes"),
        **dict.fromkeys(refused, "no"),
    }
    assert (real.workspace / "new").exists()
    assert not (real.home / ".cache/new").exists()
    read = "for path in .netrc .ssh/id .keys/id; do cat $path && echo seen; done 2>&-; ls .ssh /run /var/tmp"
    assert "seen" not in inside(real, read)
    assert inside(real, "cat /etc/resolv.conf") == ["nameserver", "127.0.0.53"]


@pytest.mark.e2e
def test_of_the_machines_cache_an_environment_alone_is_there(real, tmp_path):
    environment = real.home / ".cache/tool/envs/mine"
    for name in (environment / "bin", environment.parent / "other", real.home / ".cache/huggingface"):
        name.mkdir(parents=True)
    (real.home / ".cache/huggingface/token").write_text("key")
    cache = tmp_path / "kernels-cache"
    cache.mkdir()
    layout = dataclasses.replace(real, cache=cache, interpreters=(environment,))
    assert inside(layout, "ls .cache .cache/tool/envs; touch .cache/tool/new .cache/tool/envs/mine/x 2>&-; true") == [
        *(".cache:", "tool", ".cache/tool/envs:", "mine")
    ]
    assert not (real.home / ".cache/tool/new").exists()
    assert not (environment / "x").exists()


@pytest.mark.e2e
def test_no_folder_above_what_is_protected_can_be_renamed(real):
    deep = real.workspace / "a/repo"
    (deep / ".git").mkdir(parents=True)
    layout = dataclasses.replace(real, repositories=(deep,))
    script = "for path in work/.git work/a work/a/repo work/a/repo/.git; do mv $path $path-x 2>&- || echo no; done"
    assert inside(layout, script) == ["no"] * 4
    assert inside(real, "mv work/a work/b && echo yes") == ["yes"]


@pytest.mark.e2e
def test_sockets_and_processes_of_others_are_out_of_reach(real):
    with socket.socket(socket.AF_UNIX) as agent:
        where = real.home / ".keys/agent"
        agent.bind(str(where))
        agent.listen()
        code = (
            "import os,socket,sys; s=socket.socket(socket.AF_UNIX); print(s.connect_ex(sys.argv[1]), os.getpid() < 9)"
        )
        assert inside(real, f"{sys.executable} -I -S -c '{code}' {where}") == ["2", "True"]
        assert inside(dataclasses.replace(real, workspace=where.parent), "ls /proc | grep -c '^[0-9]'")[0] < "6"
