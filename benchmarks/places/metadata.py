"""Secrets in cell, output and notebook metadata and in widget state."""

from __future__ import annotations

from typing import Any

from benchmarks.draft import Draft, Notebook
from benchmarks.places.registry import place


def _widgets(draft: Draft, state: dict[str, Any], model: str, module: str = "@jupyter-widgets/controls") -> Notebook:
    """A widget in the notebook's saved state and the cell that shows it."""
    identifier = draft.rng.randbytes(16).hex()
    made = {"model_module": module, "model_module_version": "2.0.0", "model_name": model, "state": state}
    layout = {
        "model_module": "@jupyter-widgets/base",
        "model_module_version": "2.0.0",
        "model_name": "LayoutModel",
        "state": {},
    }
    saved = {identifier: made, draft.rng.randbytes(16).hex(): layout}
    view = {"model_id": identifier, "version_major": 2, "version_minor": 0}
    metadata = {"widgets": {"application/vnd.jupyter.widget-state+json": {"state": saved, "version_major": 2}}}
    output = draft.shown({"application/vnd.jupyter.widget-view+json": view}, plain=f"{model[:-5]}()")
    return draft.notebook(draft.code("form()", output), metadata=metadata)


def _state(model: str, **fields: object) -> dict[str, Any]:
    shared = {"_dom_classes": [], "_model_module": "@jupyter-widgets/controls", "_model_name": model, "disabled": False}
    return {**shared, **fields}


@place("widget_password")
def _password(draft: Draft) -> Notebook:
    state = _state("PasswordModel", value=draft.secret, description="", placeholder="")
    return _widgets(draft, state, "PasswordModel")


@place("widget_text_described", multiline=True)
def _text(draft: Draft) -> Notebook:
    state = _state("TextModel", description=draft.expand("$TITLE $FIELD:"), value=draft.secret)
    return _widgets(draft, state, "TextModel")


@place("widget_text_anonymous", bare=True)
def _anonymous(draft: Draft) -> Notebook:
    return _widgets(draft, _state("TextModel", description="", value=draft.secret), "TextModel")


@place("widget_textarea")
def _area(draft: Draft) -> Notebook:
    state = _state("TextareaModel", description="config", value=draft.expand("url=$URL\n$FIELD=$R\n"))
    return _widgets(draft, state, "TextareaModel")


@place("widget_html")
def _html(draft: Draft) -> Notebook:
    state = _state("HTMLModel", value=draft.expand("<b>$NAME</b>: <code>$H</code>"), description="")
    return _widgets(draft, state, "HTMLModel")


@place("widget_output", multiline=True)
def _output(draft: Draft) -> Notebook:
    text = draft.expand("{'$FIELD': '$J'}\n")
    outputs = [{"name": "stdout", "output_type": "stream", "text": text}]
    state = {"_model_name": "OutputModel", "msg_id": "", "outputs": outputs}
    return _widgets(draft, state, "OutputModel", "@jupyter-widgets/output")


@place("widget_dropdown_options")
def _dropdown(draft: Draft) -> Notebook:
    options = ["simulator", draft.expand("$NAME=$R")]
    state = _state("DropdownModel", _options_labels=options, description="account", index=0)
    return _widgets(draft, state, "DropdownModel")


@place("cell_metadata", multiline=True)
def _cell(draft: Draft) -> Notebook:
    cell = draft.code("run()")
    cell["metadata"] = {"tags": ["parameters"], "lab": {draft.credential.field: draft.secret}}
    return draft.notebook(cell)


@place("cell_metadata_papermill")
def _cell_papermill(draft: Draft) -> Notebook:
    cell = draft.code("run()")
    cell["metadata"] = {
        "papermill": {"duration": 0.1, "status": "completed", "exception": None},
        "lab_run": {"env": {draft.env: draft.secret}},
    }
    return draft.notebook(cell)


@place("markdown_cell_metadata")
def _markdown_cell(draft: Draft) -> Notebook:
    cell = draft.prose("## Results") | {
        "metadata": {"comments": [{"author": "jo", "text": draft.expand("$NAME is $R")}]}
    }
    return draft.notebook(cell)


@place("output_metadata")
def _output_metadata(draft: Draft) -> Notebook:
    output = draft.shown(plain="<Figure size 640x480 with 1 Axes>")
    output["metadata"] = {"request": {draft.credential.field: draft.secret}}
    return draft.notebook(draft.code("plot()", output))


@place("notebook_parameters", multiline=True)
def _parameters(draft: Draft) -> Notebook:
    papermill = {
        "parameters": {"shots": 1000, draft.credential.name: draft.secret},
        "version": "2.6.0",
        "input_path": "a.ipynb",
    }
    return draft.notebook(draft.code("run()"), metadata={"papermill": papermill})


@place("notebook_environment", multiline=True)
def _environment(draft: Draft) -> Notebook:
    variables = {"environment_variables": {"LANG": "C.UTF-8", draft.env: draft.secret}}
    return draft.notebook(draft.code("run()"), metadata={"kernel_options": variables})


@place("notebook_command_line")
def _command(draft: Draft) -> Notebook:
    command = draft.expand("papermill in.ipynb out.ipynb -p $NAME $R")
    return draft.notebook(draft.code("run()"), metadata={"papermill": {"command": command}})


@place("notebook_argv")
def _argv(draft: Draft) -> Notebook:
    argv = ["papermill", "in.ipynb", "-p", draft.credential.name, draft.secret]
    return draft.notebook(draft.code("run()"), metadata={"history": {"argv": argv}})


@place("kernelspec_env")
def _kernelspec(draft: Draft) -> Notebook:
    spec = {"display_name": "Quantum", "language": "python", "name": "quantum", "env": {draft.env: draft.secret}}
    return draft.notebook(draft.code("run()"), metadata={"kernelspec": spec})


@place("metadata_key", whole=True)
def _key(draft: Draft) -> Notebook:
    """Somebody counted jobs by token: the secret is a key."""
    counts = {"jobs_by_" + draft.credential.name: {draft.secret: 3}}
    return draft.notebook(draft.code("run()"), metadata={"lab": counts})
