"""The variables of a kernel: nothing that opens something, a way out, and all else as it was."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.catalog.loader import load_catalog
from jupyter_qguard.sandbox.environment import CA_BUNDLES, catalogue_variables, is_taken, kernel_environment

CATALOG = load_catalog()
PROXY = "http://127.0.0.1:3128"
DRAWN = random.Random(20261126)


def value() -> str:
    return "".join(DRAWN.choices("abcdefghijkmnpqrstuvwxyz23456789", k=32))


def environment(parent: dict[str, str], ca_bundle: str | None = None) -> dict[str, str]:
    return kernel_environment(parent, proxy=PROXY, ca_bundle=ca_bundle, catalog=CATALOG)


@pytest.mark.parametrize(
    "name",
    """JUPYTERHUB_API_TOKEN JUPYTERHUB_API_URL JPY_API_TOKEN JPY_SESSION_NAME VAULT_ADDR VAULT_TOKEN BAO_ADDR QGUARD_POLICY
    SSH_AUTH_SOCK SSH_AGENT_PID DBUS_SESSION_BUS_ADDRESS GPG_AGENT_INFO GNOME_KEYRING_CONTROL DOCKER_HOST KUBECONFIG
    XDG_RUNTIME_DIR DISPLAY WAYLAND_DISPLAY TMUX LISTEN_FDS NOTIFY_SOCKET VSCODE_IPC_HOOK_CLI CREDENTIALS_DIRECTORY
    AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_WEB_IDENTITY_TOKEN_FILE AWS_ENDPOINT_URL
    GOOGLE_APPLICATION_CREDENTIALS AZURE_CLIENT_SECRET GITHUB_TOKEN gh_token HF_TOKEN DB_PASSWORD PGPASSWORD
    MY_API_KEY STORAGE_KEY DEPLOY_KEY_PATH SMTP_PASS NPM_CONFIG_USERCONFIG PIP_INDEX_URL UV_INDEX_URL GIT_CONFIG_COUNT
    AZURE_STORAGE_CONNECTION_STRING NETRC CI_JOB_TOKEN OAUTH2_AUTH_HEADER QISKIT_IBM_TOKEN IAM_URL IONQ_API_KEY
    BRAKET_ENDPOINT PASQAL_SKIP_SSL_VERIFY FTP_PROXY PIP_PROXY""".split(),
)
def test_what_opens_something_is_taken(name):
    assert name not in environment({name: value()})


def test_every_variable_of_the_catalogue_that_holds_a_secret_or_redirects_is_taken():
    names = catalogue_variables(CATALOG)
    assert len(names) > 100
    parent = {name: value() for name in names} | {name.lower(): value() for name in names}
    assert not set(parent) & set(environment(parent))


@pytest.mark.parametrize(
    "name",
    """PATH HOME USER LOGNAME SHELL PWD OLDPWD LANG LC_ALL TZ TERM CONDA_PREFIX CONDA_DEFAULT_ENV VIRTUAL_ENV PYTHONPATH
    PYTHONSTARTUP PYTHONHASHSEED IPYTHONDIR JUPYTER_PATH JUPYTER_CONFIG_DIR MPLBACKEND MPLCONFIGDIR OMP_NUM_THREADS
    TOKENIZERS_PARALLELISM CUDA_VISIBLE_DEVICES LD_LIBRARY_PATH XDG_CONFIG_HOME XDG_DATA_DIRS R_LIBS JULIA_DEPOT_PATH
    AWS_REGION AWS_DEFAULT_REGION QISKIT_IBM_INSTANCE KEYBOARD AUTHOR PASSAGE COLUMNS KEY""".split(),
)
def test_what_a_kernel_works_with_stays(name):
    assert environment({name: "a value"})[name] == "a value"


def test_a_url_with_a_password_is_taken_under_any_name():
    secret = value()
    parent = {
        "DATABASE": f"postgresql://user:{secret}@db/x",
        "ALSO": f"see https://:{secret}@host",
        "MIRROR": "https://x/y",
    }
    assert secret not in str(environment(parent))
    assert environment(parent)["MIRROR"] == "https://x/y"


def test_the_way_out_is_the_gateway_whatever_the_parent_has():
    parent = dict.fromkeys(("http_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "All_Proxy"), "http://other:1")
    found = environment(parent)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        assert found[name] == found[name.lower()] == PROXY
    assert found["NO_PROXY"] == found["no_proxy"] == "localhost,127.0.0.1,::1"
    assert "All_Proxy" not in found
    assert (found["TMPDIR"], found["JPY_PARENT_PID"]) == ("/tmp", "1")


def test_a_bundle_is_told_to_every_client_and_without_one_theirs_stays():
    parent = {"SSL_CERT_DIR": "/etc/certs", "SSL_CERT_FILE": "/etc/corporate.pem"}
    found = environment(parent, "/run/ca.pem")
    assert {found[name] for name in CA_BUNDLES} == {"/run/ca.pem"}
    assert len(CA_BUNDLES) == 12
    assert "SSL_CERT_DIR" not in found
    assert environment(parent).items() >= parent.items()


def test_vendors_reports_home_are_turned_off_even_where_they_were_on():
    wanted = {name: off for vendor in CATALOG.vendors.values() for name, off in vendor.telemetry.opt_out.items()}
    assert len(wanted) >= 3
    assert environment(dict.fromkeys(wanted, "on")).items() >= wanted.items()


names = st.text("ABCDEFGHKOPRSTUVWXYZabdeknorst_0129", min_size=1, max_size=24)


@given(st.dictionaries(names, st.text(max_size=40), max_size=8))
def test_nothing_is_made_up_and_only_what_the_rule_takes_is_missing(parent):
    found = environment(parent)
    added = set(environment({}))
    assert set(found) - set(parent) <= added
    for name, text in parent.items():
        taken = is_taken(name, text) or name.upper() in catalogue_variables(CATALOG)
        assert (name in found) is (not taken or name in added)
        if name in found and name not in added:
            assert found[name] == text


@given(names, st.sampled_from(["TOKEN", "SECRET", "PASSWORD", "API_KEY", "APIKEY"]), st.booleans())
def test_any_name_that_ends_in_such_a_word_is_taken(name, word, lower):
    full = f"{name}_{word}"
    assert is_taken(full.lower() if lower else full, "x")
