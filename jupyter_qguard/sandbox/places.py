"""What lies where in a home folder, as names relative to it; and what of the machine is no kernel's business.

Three lists, and what is on none of them: where the home folder is not itself the workspace, a kernel sees its folders
and its files without a dot, read-only, and no other file. In ``.config``, ``.local`` and what is like them it sees what
is listed, as these hold the settings of every program there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CROWDED = (".config", ".local", ".local/share", ".local/state")
"""Folders that belong to no single program. What a kernel does not need of them it does not see, nor what comes later."""


def known_part(name: str) -> str:
    """So much of *name*, relative to the home folder, as a look into that and the crowded folders says whether it is there."""
    top = max((folder for folder in CROWDED if name.startswith(f"{folder}/")), key=len, default="")
    prefix = f"{top}/" if top else ""
    return prefix + name[len(prefix) :].partition("/")[0]


def places_of(name: str, home: Path, moved: Iterable[tuple[str, Path]]) -> Iterator[Path]:
    """Where *name* of the home folder is, and where it is if one of the *moved* folders is or holds it."""
    yield home / name
    yield from (where / name[len(top) + 1 :] for top, where in moved if f"{name}/".startswith(f"{top}/"))


HIDDEN_AT_HOME = tuple(
    # Keys of the shell, of version control, of package indexes.
    ".ssh .gnupg .netrc _netrc .authinfo .authinfo.gpg .git-credentials .git-credential-cache .config/git/credentials "
    ".config/gh .config/glab-cli .config/hub .subversion .hgrc .pypirc .npmrc .yarnrc .yarnrc.yml .gem/credentials "
    ".bundle/config .cargo/credentials .cargo/credentials.toml .condarc .continuum .config/pip .pip .config/uv "
    ".config/pypoetry .m2 .gradle .sbt .ivy2 .nuget .composer .config/composer .config/rclone .rclone.conf .pgpass "
    ".my.cnf .mylogin.cnf .config/configstore .vagrant.d .ansible .chef "
    # Clouds and containers, with their sockets.
    ".aws .aws-vault .awsvault .saml2aws .azure .config/gcloud .config/gsutil .boto .s3cfg .mc .passwd-s3fs .oci .ibmcloud "
    ".bluemix .config/doctl .config/hcloud .config/scw .linode-cli .fly .kube .docker .config/containers .config/podman "
    ".local/share/containers .local/share/docker .colima .lima .rd .minikube .terraform.d .terraformrc .pulumi "
    ".vault-token .bao-token .config/helm .config/op .1password .bitwarden-ssh-agent.sock .databrickscfg .databricks "
    ".snowflake .snowsql .dbt .tsh .step .okta .globus .globusonline .globus_compute .grid-security .cloudflared .ngrok2 "
    ".kaggle .huggingface .cache/huggingface/token .config/wandb .comet.config .neptune .clearml.conf clearml.conf "
    ".mlflow .prefect .modal.toml .streamlit/secrets.toml .config/earthengine .cdsapirc .ecmwfapirc .config/sops .age "
    ".config/age .config/github-copilot .config/claude .claude .claude.json .codex .gemini .cursor .ollama "
    # Keyrings, password safes, browsers, mail, displays.
    ".local/share/keyrings .local/share/python_keyring .local/share/kwalletd .password-store .config/Bitwarden "
    ".config/keepassxc .config/goa-1.0 .mozilla .thunderbird .config/chromium .config/google-chrome "
    ".config/BraveSoftware .config/microsoft-edge .config/vivaldi .config/opera .config/Slack .config/discord "
    ".config/Element .config/Signal .local/share/evolution .config/evolution .pki .var snap .msmtprc .mbsyncrc "
    ".offlineimaprc .fetchmailrc .purple .irssi .Xauthority .ICEauthority .dbus "
    # Shells, databases and editors remember what was typed.
    ".bash_history .zsh_history .python_history .psql_history .mysql_history .sqlite_history .node_repl_history "
    ".rediscli_history .irb_history .Rhistory .lesshst .viminfo .wget-hsts .local/share/fish .local/share/Trash "
    # The guard's own; what the server believes, and the connection files and tokens of other kernels and servers.
    ".config/jupyter-qguard .local/state/jupyter-qguard .local/share/jupyter-qguard .local/share/jupyter/runtime "
    ".local/share/jupyter/notebook_secret .local/share/jupyter/nbsignatures.db .local/share/jupyter/jupyter_ai "
    ".jupyter/migrated .jupyter/jupyter_server_config.json .jupyter/jupyter_server_config.py "
    ".jupyter/jupyter_notebook_config.json .jupyter/jupyter_notebook_config.py .jupyter/jupyter_lab_config.py "
    ".jupyter/jupyter_lab_config.json".split()
)
READ_ONLY_AT_HOME = tuple(
    # What a kernel, a server or an interpreter reads at its start.
    ".jupyter .local/share/jupyter .local/lib .local/bin .local/share/virtualenvs .local/pipx .local/share/pipx "
    ".local/share/uv .local/share/mamba .pyenv .conda .virtualenvs .rustup .cargo .nvm .npm-global .julia .R .Rprofile "
    ".Renviron .perl5 bin go/bin perl5 google-cloud-sdk "
    # What a shell, a login, a desktop, a scheduler or an editor runs.
    ".bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc .zshenv .zprofile .zlogin .zlogout "
    ".oh-my-zsh .kshrc .cshrc .tcshrc .login .inputrc .xprofile .xsession .xsessionrc .xinitrc .xserverrc "
    ".pam_environment .config/autostart .config/systemd .config/environment.d .config/plasma-workspace .config/fish "
    ".config/git .gitconfig .config/python_keyring .config/direnv .local/share/direnv .local/share/applications .local/share/systemd "
    ".local/share/dbus-1 .vim .vimrc .config/nvim .local/share/nvim .emacs .emacs.d .config/emacs .vscode .vscode-server "
    ".config/Code .config/code-server .local/share/code-server .tmux.conf .screenrc .hushlogin "
    ".forward .procmailrc .mailcap .pdbrc .gdbinit .config/gdb .lldbinit .config/lldb .nanorc .Xresources .direnvrc "
    ".asdfrc .tool-versions .mise .config/mise .pythonstartup.py public_html".split()
)
SEEN_AT_HOME = tuple(
    # Files with a dot, and what the crowded folders hold, of use to a notebook, and without a key by their nature.
    ".matplotlibrc .condarc.d .mambarc .fonts.conf .latexmkrc .gnuplot .octaverc .gitignore .gitattributes .editorconfig "
    ".flake8 .pylintrc .pycodestyle .dircolors .local/share/fonts .local/share/icons .local/share/mime "
    ".local/share/micromamba .local/include .local/etc .local/opt .local/src .config/fontconfig "
    ".config/user-dirs.dirs .config/dask .config/intake .config/numba .config/astropy .config/sunpy .config/yt .config/qutip "
    ".config/joblib .config/spack .config/black .config/flake8 .config/pycodestyle .config/pylintrc .config/ruff .config/yapf "
    ".config/latexmk .config/ptpython .config/bat .config/htop .config/starship.toml".split()
)
HIDDEN_OF_THE_MACHINE = (
    # Readable to root alone; to files a kernel of root is root.
    "/etc/shadow /etc/shadow- /etc/gshadow /etc/gshadow- /etc/sudoers /etc/sudoers.d /etc/security/opasswd /etc/ssl/private "
    "/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key /etc/ssh/ssh_host_dsa_key "
    "/etc/krb5.keytab /etc/wireguard /etc/openvpn /etc/ipsec.secrets /etc/ppp /etc/NetworkManager/system-connections "
    "/etc/docker /etc/kubernetes /etc/rancher /etc/vault.d /etc/openbao /etc/credstore /etc/credstore.encrypted "
    "/var/lib/systemd/credential.secret /var/lib/cloud /var/lib/kubelet /var/lib/rancher /var/lib/jenkins /var/lib/private "
    "/var/backups /var/log /var/mail "
    # Folders of sockets: a service that starts anew makes new ones.
    "/var/lib/docker /var/lib/containerd /var/lib/containers /var/lib/lxd /var/lib/lxc /var/lib/libvirt /var/snap "
    "/var/lib/mysql /var/lib/postgresql /var/lib/redis /var/lib/sss/pipes /var/lib/sss/db /var/lib/sss/secrets /var/lib/samba "
    # What Linux tells of everybody's keys, of its own memory, and of power, which is a side channel.
    "/proc/keys /proc/timer_list /sys/devices/virtual/powercap"
).split()
