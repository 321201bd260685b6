"""The files of a kernel, as arguments of bubblewrap. Everything is read-only but what is named here.

One rule holds for every path: the rule on the path itself, else that of the nearest folder above it that has one. So
the order in which rules are found does not matter, and mounts are made from the root down. Where two rules meet on one
path, the later one of :func:`rules_of` holds.

Paths are resolved first: a link that stands in the way of a mount would be followed in the wrong root. Where
connections are enforced the home folder is never writable as a whole (decision 0007): what is missing there cannot be
protected by a mount.
"""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.sandbox.errors import FilesError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Kind(enum.Enum):
    """What lies at a path."""

    MISSING = 0
    FILE = 1
    """Or a socket, a device: all that is no folder."""
    FOLDER = 2


class Access(enum.Enum):
    """What a kernel may do at a path."""

    HIDDEN = 0
    READ_ONLY = 1
    READ_WRITE = 2
    PRIVATE = 3
    """An empty folder of its own, gone with the kernel."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds at a path and below it."""

    access: Access
    source: Path | None = None
    """What is seen there, where that is not the path itself."""
    required: bool = False
    """Whether no kernel starts without it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one kernel, as they are on this machine."""

    home: Path
    workspace: Path
    connection_dir: Path
    """The folder of this kernel's connection file and sockets."""
    interpreters: tuple[Path, ...]
    """Prefixes of the environments that a kernel or the server runs from, and the guard's own part in kernels."""
    resolv_conf: Path
    """The file that stands for ``/etc/resolv.conf``."""
    hidden: tuple[Path, ...]
    read_only: tuple[Path, ...]
    read_write: tuple[Path, ...]
    """Of the policy. Refused where they would open what is hidden or the system's."""
    overlay: Path | None
    """The folder for what kernels install; None: it goes with the kernel."""
    cache: Path | None = None
    """What stands for ``~/.cache``; None: it goes with the kernel. Never in a folder that a kernel can write: a link in
    its place would be followed by the next kernel's mounts."""
    home_writable: bool = False
    """Where the workspace is the home folder: whether all of it is writable but what is protected by name."""
    home_entries: tuple[Path, ...] = ()
    """Where the workspace is the home folder: what lies in it and is to be writable."""
    repositories: tuple[Path, ...] = ()
    """Folders of the workspace that hold a ``.git``."""


NAMESPACES = tuple(
    # Namespaces inside those of the stub, which made the network. No --new-session: the kernel has a session of its own
    # already, and typing into a terminal is refused by the filter of system calls.
    "--unshare-user --unshare-pid --unshare-ipc --die-with-parent --cap-drop ALL "
    "--ro-bind / / --proc /proc --dev /dev "
    # Root owns the files of /proc/sys even without a capability: `core_pattern` names a program that the machine runs.
    "--ro-bind /proc/sys /proc/sys --ro-bind-try /proc/sysrq-trigger /proc/sysrq-trigger".split()
)
"""What every sandbox begins with."""
SHARED = ("/tmp", "/var/tmp", "/run", "/dev/shm")  # noqa: S108 - hidden behind folders of the kernel's own
"""Folders in which others leave files and sockets: D-Bus, agents, container engines, resolvers, name services."""
SYSTEM = tuple(
    map(Path, "/bin /boot /dev /etc /lib /lib32 /lib64 /proc /run /sbin /sys /usr /var/run /var/spool".split())
)
"""What no policy makes writable. Single devices are the exception: a graphics card for simulators."""
HIDDEN_AT_HOME = tuple(
    # Keys of the shell, of version control, of package indexes.
    ".ssh .gnupg .netrc _netrc .git-credentials .config/git/credentials .config/gh .config/glab-cli .config/hub .pypirc "
    ".npmrc .yarnrc .yarnrc.yml .gem/credentials .cargo/credentials .cargo/credentials.toml .condarc .continuum "
    ".config/pip .pip .config/uv .config/pypoetry .m2 .gradle .config/rclone .rclone.conf .pgpass .my.cnf .mylogin.cnf "
    # Clouds and containers, with their sockets.
    ".aws .azure .config/gcloud .boto .s3cfg .oci .config/doctl .config/scw .kube .docker .config/containers .colima .lima "
    ".rd .minikube .terraform.d .terraformrc .vault-token .bao-token .config/helm .config/op .1password .databrickscfg "
    ".kaggle .huggingface .cache/huggingface/token .config/wandb .config/sops .age .config/age "
    # Keyrings, password safes, browsers, mail.
    ".local/share/keyrings .local/share/python_keyring .local/share/kwalletd .password-store .config/Bitwarden "
    ".config/keepassxc .mozilla .thunderbird .config/chromium .config/google-chrome .config/BraveSoftware "
    ".config/microsoft-edge .config/Slack .config/Signal .pki snap/firefox "
    # Shells and databases remember what was typed.
    ".bash_history .zsh_history .python_history .psql_history .mysql_history .local/share/fish "
    # The guard's own, and the connection files and tokens of the other kernels and servers.
    ".config/jupyter-qguard .local/state/jupyter-qguard .local/share/jupyter-qguard .local/share/jupyter/runtime "
    ".jupyter/migrated .jupyter/jupyter_server_config.json .jupyter/jupyter_notebook_config.json".split()
)
READ_ONLY_AT_HOME = tuple(
    # What a kernel, a server or an interpreter reads at its start.
    ".jupyter .local/share/jupyter .local/lib .local/bin .local/share/virtualenvs .local/pipx .local/share/pipx "
    ".local/share/uv .pyenv .conda .virtualenvs .rustup .cargo .nvm .julia .R .Rprofile .Renviron bin "
    # What a shell, a login, a desktop, a scheduler or an editor runs.
    ".bashrc .bash_profile .bash_login .bash_logout .profile .zshrc .zshenv .zprofile .zlogin .oh-my-zsh .inputrc "
    ".xprofile .xsession .xinitrc .pam_environment .config/autostart .config/systemd .config/environment.d .config/fish "
    ".config/git .gitconfig .config/python_keyring .config/direnv .local/share/direnv .local/share/applications .local/share/systemd "
    ".vim .vimrc .config/nvim .local/share/nvim .emacs .emacs.d .config/emacs .vscode .vscode-server .config/Code "
    ".config/code-server .tmux.conf .screenrc .config/matplotlib .hushlogin .forward .procmailrc".split()
)
IN_REPOSITORY = (".git", ".vscode", ".idea")
"""Configuration that git and editors run commands from. All of ``.git``: ``commondir`` or ``modules`` lead around its
``config``. Committing is for outside of a kernel, or for a policy that makes it writable."""
IPYTHON_KEPT = (
    "extensions nbextensions profile_default/startup profile_default/ipython_config.py "
    "profile_default/ipython_kernel_config.py profile_default/ipython_config.json"
).split()
"""What a kernel still reads of ``~/.ipython``; the rest of that folder is its own, as IPython must be able to write it."""


def bwrap_arguments(
    layout: Layout, exists: Callable[[Path], Kind], resolve: Callable[[str], str] = os.path.realpath
) -> list[str]:
    """What stands between ``bwrap`` and ``--``, without ``--seccomp``.

    Raises :class:`FilesError` where the policy would open what it may not, and where a required folder is missing.
    """
    arguments = [*NAMESPACES]
    sealed: list[str] = []
    rules = rules_of(layout, lambda path: Path(resolve(str(path))))
    for path in sorted(rules, key=lambda path: (len(path.parts), path)):
        rule, where = rules[path], str(path)
        kind = exists(path)
        if rule.required and exists(rule.source or path) is Kind.MISSING:
            raise FilesError(f"a kernel needs `{rule.source or path}`, and there is no such file or folder")
        if kind is Kind.MISSING and not rule.required:
            continue
        if rule.access is Access.PRIVATE:
            arguments += ["--perms", "1777", "--tmpfs", where]
        elif rule.access is Access.HIDDEN and kind is Kind.FOLDER:
            arguments += ["--tmpfs", where]
            sealed += ["--remount-ro", where]
        elif rule.access is Access.HIDDEN:
            # A device on a mount without devices: reading it is refused.
            arguments += ["--ro-bind", os.devnull, where]
        else:
            arguments += [_option(rule.access, path), str(rule.source or path), where]
    # Sealed at the end, as the places of mounts further down must first be made in them.
    return arguments + sealed


def rules_of(layout: Layout, resolve: Callable[[Path], Path]) -> dict[Path, Rule]:
    """The rule of every path that has one; paths are resolved. Later ones hold where two meet."""
    home = resolve(layout.home)
    hidden = {resolve(path) for path in _hidden(layout, home)}
    own = {resolve(path) for path in layout.read_write}
    for path in own:
        _check_writable(path, hidden, home)
    rules = {resolve(Path(path)): Rule(Access.PRIVATE) for path in SHARED}
    rules[home] = Rule(Access.READ_ONLY)
    rules.update(_at_home(layout, home))
    rules.update((resolve(path), Rule(Access.READ_WRITE)) for path in _writable(layout, home, resolve))
    read_only = [home / name for name in READ_ONLY_AT_HOME]
    read_only += [repository / name for repository in _repositories(layout) for name in IN_REPOSITORY]
    rules.update((resolve(path), Rule(Access.READ_ONLY)) for path in read_only)
    rules.update((path, Rule(Access.READ_WRITE)) for path in own)
    rules.update((resolve(path), Rule(Access.READ_ONLY)) for path in (*layout.interpreters, *layout.read_only))
    rules.update((path, Rule(Access.HIDDEN)) for path in hidden)
    rules[resolve(Path("/etc/resolv.conf"))] = Rule(Access.READ_ONLY, layout.resolv_conf, required=True)
    rules[resolve(layout.connection_dir)] = Rule(Access.READ_WRITE, required=True)
    rules.pop(Path("/"), None)
    return rules


def _option(access: Access, path: Path) -> str:
    if access is Access.READ_ONLY:
        return "--ro-bind"
    return "--dev-bind" if path.is_relative_to("/dev") else "--bind"


def _hidden(layout: Layout, home: Path) -> Iterator[Path]:
    yield from (home / name for name in HIDDEN_AT_HOME)
    yield from layout.hidden


def _at_home(layout: Layout, home: Path) -> Iterator[tuple[Path, Rule]]:
    """Folders that programs must be able to write, and that others run code from: each kernel's or the overlay's own."""
    ipython = home / ".ipython"
    yield ipython, Rule(Access.PRIVATE)
    yield from ((ipython / name, Rule(Access.READ_ONLY)) for name in IPYTHON_KEPT)
    if layout.overlay is not None:
        yield layout.overlay, Rule(Access.READ_WRITE, required=True)
    yield (
        home / ".cache",
        Rule(Access.PRIVATE) if layout.cache is None else Rule(Access.READ_WRITE, layout.cache, required=True),
    )


def _writable(layout: Layout, home: Path, resolve: Callable[[Path], Path]) -> Iterable[Path]:
    """The workspace, and on the way to each repository every folder: what is mounted cannot be renamed away."""
    workspace = resolve(layout.workspace)
    if home.is_relative_to(workspace):
        return [home] if layout.home_writable else layout.home_entries
    way = {path for repository in layout.repositories for path in (repository, *repository.parents)}
    return [workspace, *(path for path in way if path.is_relative_to(workspace))]


def _repositories(layout: Layout) -> tuple[Path, ...]:
    return (layout.workspace, *layout.home_entries, *layout.repositories)


def _check_writable(path: Path, hidden: Iterable[Path], home: Path) -> None:
    """Refuse an entry of the policy that opens too much."""
    if home.is_relative_to(path):
        raise FilesError(f"files: `{path}` must not be writable as a whole: it is, or holds, the home folder")
    device = path.is_relative_to("/dev") and path != Path("/dev")
    if not device and any(path.is_relative_to(part) or part.is_relative_to(path) for part in SYSTEM):
        raise FilesError(f"files: `{path}` must not be writable: it is the system's")
    if any(path.is_relative_to(secret) for secret in hidden):
        raise FilesError(f"files: `{path}` must not be writable: it holds credentials, or what guards kernels")
