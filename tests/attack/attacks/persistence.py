"""Files that something outside the kernel runs or believes later. Judged by whether the nonce stands there, outside."""

from __future__ import annotations

import os
import shutil

from .base import Judge, Target, attack, each

_HOME = (
    ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshrc", ".zshenv", ".zprofile", ".inputrc", ".pam_environment",
    ".xprofile", ".xsessionrc", ".vimrc", ".emacs", ".tmux.conf", ".screenrc", ".gitconfig", ".npmrc", ".pypirc", ".netrc", ".condarc", ".pythonstartup.py",
    ".ssh/authorized_keys", ".ssh/config", ".ssh/rc", ".ssh/environment", ".config/git/config", ".config/fish/config.fish", ".config/pip/pip.conf", ".pip/pip.conf", ".config/nvim/init.lua",
    ".config/systemd/user/a.service", ".config/environment.d/a.conf", ".config/autostart/a.desktop", ".local/share/applications/a.desktop", ".local/share/dbus-1/services/a.service",
    ".local/bin/python3", ".local/bin/jupyter", "bin/git", ".config/Code/User/settings.json", ".vscode/extensions/a.js", ".docker/config.json", ".aws/config", ".kube/config", ".gnupg/gpg.conf",
    ".local/share/jupyter/kernels/python3/kernel.json", ".local/share/jupyter/kernels/a/kernel.json", ".local/share/jupyter/labextensions/a/package.json", ".local/share/jupyter/nbextensions/a.js",
    ".local/share/jupyter/nbconvert/templates/a/conf.json", ".local/share/jupyter/runtime/a.json",
    ".jupyter/jupyter_server_config.py", ".jupyter/jupyter_server_config.d/a.json", ".jupyter/jupyter_config.json", ".jupyter/jupyter_notebook_config.py", ".jupyter/jupyter_nbconvert_config.json", ".jupyter/migrated", ".jupyter/lab/user-settings/a.jupyterlab-settings", ".jupyter/nbconfig/notebook.json", ".jupyter/custom/custom.js",
    ".ipython/profile_default/startup/a.py", ".ipython/profile_default/ipython_config.py", ".ipython/extensions/a.py",
    ".local/lib/python{python}/site-packages/a.pth", ".local/lib/python{python}/site-packages/usercustomize.py",
    ".config/jupyter-qguard/policy.yaml", ".local/state/jupyter-qguard/audit/audit.jsonl", ".local/share/jupyter-qguard/vault", ".cache/jupyter-qguard/a",
    ".cache/pip/a", ".cargo/config.toml", ".m2/settings.xml", ".gradle/init.gradle", ".julia/config/startup.jl", ".Rprofile",
)  # fmt: skip
_WORK = (".git/hooks/pre-commit", ".git/config", ".git/info/attributes", ".vscode/settings.json", ".vscode/tasks.json")
_ASKED = (".idea/workspace.xml", ".envrc", ".devcontainer/devcontainer.json", ".gitmodules", ".pre-commit-config.yaml")
"""What editors and tools ask about before they run it, where it is new."""
_SYSTEM: dict[str, object] = {
    "the guard's package": "{package}/qg_attack_{number}.py",
    "the guard's compiled files": "{package}/__pycache__/qg_attack_{number}.pyc",
    "the environment's packages": "{site}/qg_attack_{number}.pth",
    "sitecustomize": "{site}/qg_attack_{number}/sitecustomize.py",
    "the environment's programs": "{prefix}/bin/qg_attack_{number}",
    "the environment's kernelspecs": "{prefix}/share/jupyter/kernels/qg_attack_{number}/kernel.json",
    "the environment's Jupyter configuration": "{prefix}/etc/jupyter/jupyter_server_config.d/qg_attack_{number}.json",
    "the environment's lab extensions": "{prefix}/share/jupyter/labextensions/qg_attack_{number}/package.json",
    "/usr/local/bin": "/usr/local/bin/qg_attack_{number}",
    "/etc/profile.d": "/etc/profile.d/qg_attack_{number}.sh",
    "/etc/cron.d": "/etc/cron.d/qg_attack_{number}",
    "/var/spool/cron": "/var/spool/cron/crontabs/qg_attack_{number}",
    "/etc/jupyter-qguard": "/etc/jupyter-qguard/qg_attack_{number}",
    "/etc/ld.so.preload": "/etc/qg_attack_{number}.preload",
    "/etc/hosts": "/etc/hosts",
}


def _write(target: Target) -> str:
    os.makedirs(os.path.dirname(target.path), exist_ok=True)
    with open(target.path, "a", encoding="utf-8") as file:
        file.write(f"\n# {target.nonce}\n")
    return "written"


@each(Judge.WRITTEN, "HOME", {name: name for name in _HOME}, path="{home}/{case}")
def home(target: Target, _: object) -> str:
    return _write(target)


@each(Judge.WRITTEN, "workspace", {name: name for name in _WORK}, path="{workspace}/{case}")
def workspace(target: Target, _: object) -> str:
    return _write(target)


@each(
    Judge.WRITTEN,
    "workspace, run by a tool that asks first",
    {name: name for name in _ASKED},
    path="{workspace}/{case}",
    residual=True,
)
def asked(target: Target, _: object) -> str:
    return _write(target)


@each(Judge.WRITTEN, "system", _SYSTEM, path="{case}")
def system(target: Target, _: object) -> str:
    return _write(target)


@each(
    Judge.WRITTEN,
    "a new folder in the place of a protected one",
    {name: name for name in (".config", ".local", ".jupyter", ".ssh")},
    path="{home}/{case}/moved",
    alone=True,
)
def moved(target: Target, _: object) -> str:
    folder = os.path.dirname(target.path)
    aside = f"{folder}.aside{target.number}"
    os.rename(folder, aside)
    try:
        os.makedirs(folder)
        _write(target)
    finally:
        # The judge has seen enough if it stands there; the house must be as it was for those that come after.
        shutil.copytree(aside, folder, dirs_exist_ok=True)
    return "moved"


@each(
    Judge.WRITTEN,
    "through a link",
    {"relative": "relative", "absolute": "absolute", "proc": "proc"},
    path="{home}/.bashrc",
)
def linked(target: Target, case: object) -> str:
    link = f"{target.world.workspace}/way{target.number}"
    os.symlink(
        {
            "relative": os.path.relpath(target.path, target.world.workspace),
            "absolute": target.path,
            "proc": f"/proc/self/cwd/../{os.path.basename(target.path)}",
        }[str(case)],
        link,
    )
    with open(link, "a", encoding="utf-8") as file:
        file.write(f"# {target.nonce}\n")
    return "written"


@attack(Judge.WRITTEN, "through a hard link in the workspace", path="{home}/.profile")
def hard(target: Target) -> str:
    link = f"{target.world.workspace}/hard{target.number}"
    os.link(target.path, link)
    with open(link, "a", encoding="utf-8") as file:
        file.write(f"# {target.nonce}\n")
    return "written"


@attack(Judge.WRITTEN, "through a file opened to read, opened again to write", path="{home}/.bashrc")
def reopened(target: Target) -> str:
    with (
        open(target.path, encoding="utf-8") as read,
        open(f"/proc/self/fd/{read.fileno()}", "a", encoding="utf-8") as file,
    ):
        file.write(f"# {target.nonce}\n")
    return "written"


@attack(Judge.WRITTEN, "the guard's audit log, emptied", path="{home}/.local/state/jupyter-qguard/audit/emptied")
def audit(target: Target) -> str:
    folder = os.path.dirname(target.path)
    for name in os.listdir(folder):
        if name != os.path.basename(target.path):
            with open(f"{folder}/{name}", "r+b"):
                pass
    return _write(target)
