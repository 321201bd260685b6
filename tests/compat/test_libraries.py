"""What libraries of every day do is the same in a guarded kernel, of an environment without this package.

``make compat`` makes that environment, with what `requirements.txt` beside this file names.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.compat.tutorials import outputs, run

PYTHON = Path(__file__).parents[2] / ".venvs" / "compat" / "bin" / "python"
pytestmark = [pytest.mark.long, pytest.mark.e2e]

PLOT = """
import matplotlib.pyplot as plt
plt.plot([1, 4, 9])
plt.show()
"""
CLUSTER = """
from dask.distributed import Client, LocalCluster
import dask.array as da
with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster, Client(cluster) as client:
    print(len({client.submit(__import__('os').getpid, pure=False, workers=[each]).result() for each in client.scheduler_info()['workers']}))
    print(int(da.arange(1000, chunks=100).sum().compute()))
"""
POOLS = """
import concurrent.futures, multiprocessing
for method in ('fork', 'spawn', 'forkserver'):
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool: print(method, list(pool.map(abs, [-1, -2])))
memory = multiprocessing.shared_memory.SharedMemory(create=True, size=10)
memory.buf[0] = 7
print(memory.buf[0])
memory.close()
memory.unlink()
"""
CELLS = {
    "matplotlib": PLOT,
    "widgets": "import ipywidgets\nipywidgets.interact(lambda x: print(x * 2), x=(0, 10))",
    "dask": CLUSTER,
    "processes": "import multiprocessing.shared_memory" + POOLS,
    "packages": "%pip list",
    "shell": "!echo $((40 + 2)); stty size >/dev/null && echo terminal",
    "progress": "from tqdm.auto import tqdm\nfor _ in tqdm(range(3), disable=None): pass\nprint('done')",
    "absent": "import importlib.util; print(importlib.util.find_spec('msgspec'), importlib.util.find_spec('nbclient'))",
}


@pytest.fixture(scope="module")
def python():
    """The kernel's interpreter."""
    assert PYTHON.exists(), "`make compat` makes the environment of these kernels"
    return str(PYTHON)


def notebook(folder, *cells):
    """A notebook of these cells."""
    path = folder / "work" / "n.ipynb"
    path.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells]), path)
    return path


@pytest.mark.parametrize("name", CELLS)
def test_a_guarded_kernel_says_what_another_says(tmp_path, python, name):
    path = notebook(tmp_path, CELLS[name])
    other, guarded = (outputs(run(path, python, guarded=guarded).cells[0]) for guarded in (False, True))
    assert other, "the cell says something"
    assert not [each for each in other if each["output_type"] == "error"], other
    assert guarded == other


def test_papermill_runs_a_notebook_in_the_sandbox_with_its_parameters(tmp_path):
    path = notebook(tmp_path, "x = 1", "print(x, [l.split(':')[0].strip() for l in open('/proc/net/dev') if ':' in l])")
    read = nbformat.read(path, 4)
    read.cells[0].metadata["tags"] = ["parameters"]
    read.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(read, path)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTER_DEFAULT_PROVISIONER_NAME": "qguard-provisioner",
    }
    command = [sys.executable, "-m", "papermill", str(path), str(tmp_path / "out.ipynb"), "-p", "x", "42"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert nbformat.read(tmp_path / "out.ipynb", 4).cells[-1].outputs[0]["text"] == "42 ['lo']\n"
