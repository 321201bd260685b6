"""Secrets in tables: data frames as text and HTML, HTML definition lists, Markdown tables."""

from __future__ import annotations

from benchmarks.draft import Draft, Notebook, html_escaped
from benchmarks.marks import unmark
from benchmarks.places.registry import place


def _html_table(columns: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"      <th>{column}</th>\n" for column in ["", *columns])
    body = ""
    for number, row in enumerate(rows):
        cells = "".join(f"      <td>{cell}</td>\n" for cell in row)
        body += f"    <tr>\n      <th>{number}</th>\n{cells}    </tr>\n"
    style = "<style scoped>\n    .dataframe tbody tr th {\n        vertical-align: top;\n    }\n</style>\n"
    table = '<table border="1" class="dataframe">\n  <thead>\n    <tr style="text-align: right;">\n'
    return f"<div>\n{style}{table}{head}    </tr>\n  </thead>\n  <tbody>\n{body}  </tbody>\n</table>\n</div>"


def _plain_table(columns: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(unmark(cell)) for cell in column) for column in zip(columns, *rows, strict=True)]
    out = []
    for label, row in zip(["", *map(str, range(len(rows)))], [columns, *rows], strict=True):
        cells = [" " * (width - len(unmark(cell))) + cell for cell, width in zip(row, widths, strict=True)]
        out.append(f"{label:2} " + "  ".join(cells))
    return "\n".join(out)


def _accounts(draft: Draft) -> tuple[list[str], list[list[str]], list[list[str]]]:
    """Columns and rows of accounts; HTML gets other values than the text, so that both are tried."""
    columns = ["account", draft.credential.field, "quota"]
    rows = [["maria", draft.secret, "50"]]
    marked = [["maria", html_escaped(draft.another(1)), "50"]]
    return columns, rows, marked


@place("dataframe_html_and_text")
def _dataframe(draft: Draft) -> Notebook:
    columns, rows, marked = _accounts(draft)
    output = draft.shown(result=True, plain=_plain_table(columns, rows), html=_html_table(columns, marked))
    return draft.notebook(draft.code("accounts", output))


@place("html_table_two_rows")
def _two_rows(draft: Draft) -> Notebook:
    columns = ["name", draft.credential.name, "region"]
    rows = [["maria", html_escaped(draft.secret), "us"], ["jo", html_escaped(draft.another(1)), "eu"]]
    return draft.notebook(draft.code("df", draft.shown(result=True, html=_html_table(columns, rows))))


@place("text_table_two_rows")
def _two_text_rows(draft: Draft) -> Notebook:
    columns = ["name", draft.credential.field, "region"]
    rows = [["maria", draft.secret, "us"], ["jo", draft.another(1), "eu"]]
    return draft.notebook(draft.code("print(df)", draft.stream(_plain_table(columns, rows) + "\n")))


@place("html_table_rows_name_value")
def _name_value(draft: Draft) -> Notebook:
    rows = [["shots", "1000"], [draft.env, html_escaped(draft.secret)], ["url", draft.expand("$URL")]]
    return draft.notebook(draft.code("settings", draft.shown(result=True, html=_html_table(["name", "value"], rows))))


@place("text_series")
def _series(draft: Draft) -> Notebook:
    text = f"shots    1000\n{draft.credential.field}    {draft.secret}\nurl      {draft.expand('$URL')}\ndtype: object"
    return draft.notebook(draft.code("df.iloc[0]", draft.shown(result=True, plain=text)))


_HTML = {
    "html_paragraph": "<p>Your $TITLE $FIELD is <code>$H</code>.</p>",
    "html_bold_label": "<ul><li><b>url</b>: $URL</li><li><b>$FIELD</b>: $H</li></ul>",
    "html_definition_list": "<dl><dt>$FIELD</dt><dd>$H</dd><dt>shots</dt><dd>1000</dd></dl>",
    "html_plain_table": "<table><tr><td>$ENV</td><td>$H</td></tr></table>",
    "html_attribute": '<input type="password" name="$FIELD" value="$H" />',
    "html_data_attribute": '<div id="app" data-$VENDOR-$FIELD="$H"></div>',
    "html_link": '<a href="$URL?$QUERY=$U" target="_blank">open</a>',
    "html_script": '<script>\nwindow.config = {"url": "$URL", "$FIELD": "$J"};\n</script>',
    "html_comment": "<div>ok</div><!-- $FIELD=$R -->",
    "html_pre": "<pre style='white-space:pre'>$NAME = &#x27;$H&#x27;\nshots = 1000</pre>",
    "html_rich_spans": '<pre><span style="color: #008000">"$FIELD"</span>: <span style="color: #800000">"$H"</span></pre>',
}


def _html(name: str, template: str) -> None:
    needs = ("url",) if "$URL" in template else ()

    @place(name, needs=needs)
    def build(draft: Draft) -> Notebook:
        output = draft.shown(plain="<IPython.core.display.HTML object>", html=draft.expand(template))
        return draft.notebook(draft.code("display(HTML(card))", output))


for _name, _text in _HTML.items():
    _html(_name, _text)
