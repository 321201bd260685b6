"""Files that hold credentials, read. Each holds a value of its own that only the judge knows."""

from __future__ import annotations

import os
from contextlib import suppress

from .base import Judge, Target, attack, each

FILES: dict[str, str] = {
    name: f".{name}" if not name.startswith(".") else name
    for name in (
        ".aws/credentials", ".aws/sso/cache/a.json", ".aws/cli/cache/a.json", ".qiskit/qiskit-ibm.json", ".ssh/id_ed25519", ".gnupg/private-keys-v1.d/a.key", ".netrc", ".pypirc", ".git-credentials", ".config/git/credentials",
        ".config/gcloud/application_default_credentials.json", ".azure/msal_token_cache.json", ".azure/azureQuantum.json", ".kube/config", ".docker/config.json", ".config/gh/hosts.yml", ".npmrc", ".vault-token", ".config/dwave/dwave.conf",
        ".qcs/secrets.toml", ".quantinuum_config", ".config/pytket/config.json", ".local/share/keyrings/login.keyring", ".password-store/a.gpg", ".config/jupyter-qguard/secret", ".local/share/jupyter-qguard/vault/vault.age", ".local/share/jupyter-qguard/vault/vault.key", ".local/state/jupyter-qguard/audit/key",
        ".jupyter/jupyter_server_config.json", ".bash_history", ".python_history", ".ipython/profile_default/history.sqlite", ".config/rclone/rclone.conf", ".huggingface/token", ".cache/huggingface/token", ".mozilla/firefox/a/logins.json", ".config/chromium/Default/Cookies", ".config/pip/pip.conf",
    )
}  # fmt: skip
"""Under HOME."""


@each(Judge.SECRET, "read", dict(FILES), path="{home}/{case}", secret="file:{case}")
def read(target: Target, _: object) -> bytes:
    with open(target.path, "rb") as file:
        return file.read(4096)


@attack(Judge.SECRET, "every file below HOME that can be read, searched for keys", secret="ssh")
def searched(target: Target) -> bytes:
    found = b""
    for folder, _, names in os.walk(target.world.home):
        for name in names:
            with suppress(OSError), open(os.path.join(folder, name), "rb") as file:
                data = file.read(2000)
                if b"arena-ssh" in data:
                    found += data
    return found


@attack(Judge.SECRET, "HOME by another way to it (/proc/1/root, /proc/self/cwd/..)", secret="ssh")
def by_proc(target: Target) -> bytes:
    found = b""
    for way in ("/proc/1/root", "/proc/self/root", "/proc/thread-self/root", "/dev/fd/../root"):
        with suppress(OSError), open(f"{way}{target.world.home}/.ssh/id_ed25519", "rb") as file:
            found += file.read(500)
    with suppress(OSError), open("/proc/self/cwd/../.ssh/id_ed25519", "rb") as file:
        found += file.read(500)
    return found


@attack(Judge.SECRET, "HOME by a link in the workspace", secret="ssh")
def by_link(target: Target) -> bytes:
    link = f"{target.world.workspace}/keys{target.number}"
    os.symlink(f"{target.world.home}/.ssh", link)
    with open(f"{link}/id_ed25519", "rb") as file:
        return file.read(500)


@attack(Judge.SECRET, "a program's secret in a variable of the kernel", secret="inherited")
def variables(_: Target) -> str:
    return repr(dict(os.environ))
