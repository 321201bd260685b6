"""Secrets in Markdown cells, and in text that is attached to them."""

from __future__ import annotations

from benchmarks.draft import Draft, Notebook
from benchmarks.places.registry import place

_TEMPLATES = {
    "markdown_prose": "Until Maria is back, use our $TITLE $FIELD $R to connect.",
    "markdown_prose_is": "The $FIELD for $TITLE is $R.",
    "markdown_colon": "$TITLE $FIELD: $R",
    "markdown_inline_code": "Log in with the $FIELD `$R` first.",
    "markdown_inline_assignment": "Set `$ENV=$R` in your shell first.",
    "markdown_bold": "- url: $URL\n- **$FIELD**: $R\n- shots: 1000",
    "markdown_table": "| setting | value |\n|---|---|\n| url | $URL |\n| $FIELD | $R |",
    "markdown_table_columns": "| account | $NAME |\n|:--|--:|\n| maria | `$R` |",
    "markdown_fence_code": "Run this:\n\n```python\n$CALL\n```\n",
    "markdown_fence_shell": "```bash\nexport $ENV=$R\n```",
    "markdown_fence_config": "```ini\n[$SECTION]\n$FIELD = $R\n```",
    "markdown_quote": "> maria wrote: the $NAME is $R, please delete after use",
    "markdown_html_comment": "## Set-up\n<!-- $NAME: $R -->",
    "markdown_parentheses": "Log in as maria ($FIELD: $R) and start the job.",
    "markdown_env_prose": "I had to set $ENV to $R before it worked.",
}
_LINKS = {
    "markdown_link_query": "[Open the dashboard]($URL?$QUERY=$U)",
    "markdown_image_query": "![queue]($URL/queue.png?$QUERY=$U)",
    "markdown_bare_url": "See $URL?$QUERY=$U&view=jobs for our jobs.",
}
_MULTILINE = {"markdown_fence_code"}


def _markdown(name: str, template: str) -> None:
    needs = ("url",) if "$URL" in template and name in _LINKS else ()

    @place(name, needs=needs, multiline=name in _MULTILINE)
    def build(draft: Draft) -> Notebook:
        return draft.notebook(draft.prose(draft.expand(template)))


for _name, _text in (_TEMPLATES | _LINKS).items():
    _markdown(_name, _text)


@place("markdown_bare", bare=True)
def _bare(draft: Draft) -> Notebook:
    return draft.notebook(draft.prose(draft.expand("`$R`")))


_PEM = "Keep this safe:\n\n```\n$R\n```\n"


@place("markdown_fence_block", multiline=True, bare=True)
def _fence(draft: Draft) -> Notebook:
    return draft.notebook(draft.prose(draft.expand(_PEM)))


@place("attachment_text")
def _attachment(draft: Draft) -> Notebook:
    text = draft.expand("$ENV=$R\nSHOTS=1000\n")
    cell = draft.prose("[notes](attachment:notes.txt)", attachments={"notes.txt": {"text/plain": draft.text(text)}})
    return draft.notebook(cell)


@place("attachment_json", multiline=True)
def _attachment_json(draft: Draft) -> Notebook:
    payload = {draft.credential.section: {draft.credential.field: draft.secret}}
    cell = draft.prose(
        "[account](attachment:account.json)", attachments={"account.json": {"application/json": payload}}
    )
    return draft.notebook(cell)


@place("attachment_svg")
def _attachment_svg(draft: Draft) -> Notebook:
    svg = draft.expand('<svg xmlns="http://www.w3.org/2000/svg"><text>$FIELD: $H</text></svg>')
    cell = draft.prose("![plan](attachment:plan.svg)", attachments={"plan.svg": {"image/svg+xml": svg}})
    return draft.notebook(cell)
