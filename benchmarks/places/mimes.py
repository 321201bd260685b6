"""Secrets in JSON, SVG, LaTeX and other rich outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.draft import Draft, Notebook, escaped, html_escaped
from benchmarks.marks import mark, parts, unmark
from benchmarks.places.registry import place

Json = Any
"""Any JSON value."""


def _row(draft: Draft) -> dict[str, Json]:
    return {"account": "maria", draft.credential.field: draft.secret, "shots": 1000}


_JSON: dict[str, Callable[[Draft], Json]] = {
    "json_key_value": _row,
    "json_nested": lambda draft: {"accounts": {draft.credential.section: {"auth": _row(draft)}}},
    "json_records": lambda draft: [{"account": "jo", draft.credential.field: None}, _row(draft)],
    "json_list_under_key": lambda draft: {draft.credential.field: [draft.secret], "shots": [1000]},
    "json_name_value": lambda draft: [{"name": "shots", "value": "1000"}, {"name": draft.env, "value": draft.secret}],
    "json_split_orient": lambda draft: {
        "columns": ["account", draft.credential.field],
        "index": [0],
        "data": [["maria", draft.secret]],
    },
    "json_columns_orient": lambda draft: {draft.credential.field: {"0": draft.secret}, "account": {"0": "maria"}},
    "json_string_in_json": lambda draft: {"body": draft.expand('{"user": "maria", "$FIELD": "$J"}')},
    "json_header_list": lambda draft: {"headers": [draft.header()[0], draft.header()[1]]},
    "json_headers": lambda draft: {"request": {"headers": {draft.header()[0]: draft.header()[1]}}},
}
_VENDOR_MIMES = ("application/vnd.dataresource+json", "application/vnd.plotly.v1+json", "application/geo+json")


def _json(name: str, make: Callable[[Draft], Json]) -> None:
    needs = ("header",) if "header" in name else ()

    @place(name, needs=needs, multiline=not needs)
    def build(draft: Draft) -> Notebook:
        output = draft.shown(plain="<IPython.core.display.JSON object>", json=make(draft))
        return draft.notebook(draft.code("JSON(account)", output))


for _name, _make in _JSON.items():
    _json(_name, _make)


@place("json_vendor_mime", multiline=True)
def _vendor(draft: Draft) -> Notebook:
    fields = [{"name": "index", "type": "integer"}, {"name": draft.credential.field, "type": "string"}]
    payload = {"schema": {"fields": fields}, "data": [{"index": 0} | _row(draft)]}
    output = draft.shown({draft.rng.choice(_VENDOR_MIMES): payload})
    return draft.notebook(draft.code("df", output))


@place("json_object_key", whole=True)
def _object_key(draft: Draft) -> Notebook:
    """The secret is the key of an object: results by token."""
    output = draft.shown(json={"jobs_by_" + draft.credential.field: {draft.secret: ["job-1", "job-2"]}})
    return draft.notebook(draft.code("JSON(jobs)", output))


@place("plotly_hover")
def _hover(draft: Draft) -> Notebook:
    text = draft.expand("$FIELD: $R<br>queue: 4")
    figure = {"data": [{"type": "scatter", "x": [1, 2], "y": [3, 4], "hovertext": [text]}], "layout": {"title": {}}}
    return draft.notebook(draft.code("fig", draft.shown({"application/vnd.plotly.v1+json": figure})))


_TEXTS = {
    "svg_text": ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"><text x="4" y="9">$FIELD: $H</text></svg>'),
    "svg_tooltip": ("image/svg+xml", "<svg><g><title>$ENV=$H</title><path d='M0 0L9 9'/></g></svg>"),
    "latex_text": ("text/latex", r"\begin{tabular}{ll} shots & 1000 \\ \texttt{$FIELD} & \texttt{$R} \end{tabular}"),
    "latex_math": ("text/latex", r"$\text{$NAME} = \text{$R}$"),
    "markdown_output": ("text/markdown", "**$FIELD**: `$R`\n\n*shots*: 1000"),
    "markdown_output_table": ("text/markdown", "| key | value |\n|---|---|\n| $FIELD | $R |\n"),
    "javascript_output": ("application/javascript", 'element.append("ok"); var $CAMEL = "$J";'),
    "text_other_mime": ("text/x-python", "$NAME = $V\n"),
    "xml_output": ("application/xml", "<config><$NAME>$H</$NAME><shots>1000</shots></config>"),
}


def _text(name: str, mime: str, template: str) -> None:
    @place(name)
    def build(draft: Draft) -> Notebook:
        return draft.notebook(draft.code("show(config)", draft.shown({mime: draft.expand(template)})))


for _name, _pair in _TEXTS.items():
    _text(_name, *_pair)


@place("html_tags_inside_token", whole=True)
def _tags_inside(draft: Draft) -> Notebook:
    first, second = parts(draft.secret, (len(unmark(draft.secret)) // 2,))
    token = f"{html_escaped(first)}<wbr>{html_escaped(second)}"
    if draft.rng.random() < 0.5:
        token = f"<mark>{html_escaped(first)}</mark>{html_escaped(second)}"
    html = f"<div><b>{draft.credential.field}</b>: <code>{token}</code></div>"
    return draft.notebook(draft.code("card", draft.shown(result=True, html=html)))


@place("html_entities_inside_token", whole=True)
def _entities(draft: Draft) -> Notebook:
    plain = unmark(draft.secret)
    coded = {draft.rng.randrange(1, len(plain) - 1) for _ in range(3)}
    token = "".join(f"&#x{ord(c):x};" if n in coded or not c.isalnum() else c for n, c in enumerate(plain))
    html = f"<p>{draft.credential.field}: <code>{mark(token)}</code></p>"
    return draft.notebook(draft.code("card", draft.shown(result=True, html=html)))


@place("json_printed_string_escaped", multiline=True)
def _escaped_twice(draft: Draft) -> Notebook:
    """JSON that holds JSON as a string, printed: the quotes are escaped."""
    text = draft.expand(r'{"status": 200, "body": "{\"user\": \"maria\", \"$FIELD\": \"@\"}"}')
    return draft.notebook(
        draft.code("print(log)", draft.stream(text.replace("@", escaped(escaped(draft.secret))) + "\n"))
    )
