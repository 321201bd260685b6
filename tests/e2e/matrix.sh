#!/usr/bin/env bash
# Tries the built wheel beside each supported JupyterLab, Notebook and Jupyter Server: `make matrix`, long, needs the index.
# Each row: a name, and what is installed together with the wheel. Which versions passed: docs/reference/server.md.
set -uo pipefail
cd "$(dirname "$0")/../.."
rows=(
    "server-2.21.0  jupyter_server==2.21.0"
    "server-newest  jupyter_server"
    "lab-4.4        jupyterlab==4.4.*"
    "lab-4.5        jupyterlab==4.5.*"
    "lab-4.6        jupyterlab==4.6.*"
    "notebook-7.4   notebook==7.4.*"
    "notebook-7.5   notebook==7.5.*"
    "notebook-7.6   notebook==7.6.*"
    "collaboration  jupyterlab jupyter-collaboration"
)
python="$PWD/.venv/bin/python"
place=.venvs/matrix
rm -rf "$place"
mkdir -p "$place"
"$python" -m build --wheel --no-isolation --outdir "$place" . >"$place/build.log" 2>&1 || { cat "$place/build.log"; exit 1; }
wheel="$(ls "$place"/*.whl)"

failed=()
for row in "${rows[@]}"; do
    read -r name packages <<<"$row"
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
    log="$place/$name.log"
    # shellcheck disable=SC2086 # several packages
    if "$python" -m venv "$place/$name" &&
        "$place/$name/bin/python" -m pip install --quiet --disable-pip-version-check "$wheel" $packages >"$log" 2>&1 &&
        QGUARD_PYTHON="$PWD/$place/$name/bin/python" "$python" -m pytest -q -n 0 tests/e2e/test_installed.py >>"$log" 2>&1
    then result=passed; else result=FAILED; failed+=("$name"); fi
    versions="$("$place/$name/bin/python" -m pip list --disable-pip-version-check 2>/dev/null |
        awk '$1 ~ /^(jupyter_server|jupyterlab|notebook|jupyter-collaboration)$/ {printf "%s %s  ", $1, $2}')"
    printf '%-15s %s  %s\n' "$name" "$result" "$versions"
    [ "$result" = passed ] || tail -30 "$log"
    rm -rf "${place:?}/$name"
done
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
