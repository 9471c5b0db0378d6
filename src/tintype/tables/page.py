"""A table as one page that needs nothing else: no script, no font, no picture from elsewhere."""

from collections.abc import Iterator, Mapping
from html import escape
from shlex import join
from typing import Any

from tintype.tables.chart import chart
from tintype.tables.words import cells, difference, reasons, seeds, verdicts

# Colours of Okabe and Ito, which colour-blind people can tell apart.
_HUES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999933")

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1c1c; --dim: #555; --rule: #d4d4d4; --link: #0b57a4; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181b; --ink: #e8e8e8; --dim: #a8adb3; --rule: #3a3f45; --link: #8ab8f0; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: clamp(1.5rem, 5vh, 3rem) 1rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
a { color: var(--link); }
.sub { color: var(--dim); margin: 0 0 .25rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .8rem .35rem 0; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { font-weight: 600; }
thead th[colspan] { text-align: center; }
tbody th, .runs td, .runs th { text-align: left; }
tbody th { position: sticky; left: 0; background: var(--paper); }
td.diff { color: var(--dim); padding-right: 1.6rem; }
.runs code { overflow-wrap: anywhere; white-space: normal; font-size: .85rem; }
.runs td { vertical-align: top; }
svg { width: 100%; max-width: 56rem; height: auto; display: block; }
svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
svg .tick { text-anchor: middle; } svg .side { text-anchor: end; fill: var(--dim); }
.grid { stroke: var(--rule); } .whisker { stroke: var(--ink); stroke-width: 1.5; fill: none; }
.dot { fill: var(--ink); } .paper { stroke: var(--ink); stroke-width: 2.5; stroke-dasharray: 4 2; fill: none; }
.ours { stroke-width: 2.5; fill: none; } .quoted { stroke-width: 1.5; stroke-dasharray: 5 4; fill: none; }
@media (max-width: 40rem) { table { font-size: .875rem; } svg text { font-size: 20px; } }
"""
STYLE += "".join(f".c{i} {{ fill: {hue}; }} .s{i} {{ stroke: {hue}; }}\n" for i, hue in enumerate(_HUES))


def page(built: Mapping[str, Any]) -> str:
    """The table, its chart, orderings, what was not run, and every run, to which the figures are linked."""
    title = escape(built["title"])
    drawn = chart(built)
    body = [
        f"<h1>{title}</h1>",
        f'<p class="sub">Paper: {escape(built["source"])}. {escape(built["protocol"])}.</p>',
        f'<p class="sub">Ours at scale {escape(built["scale"])}: {escape(built["about"])}; {escape(seeds(built))}, '
        "mean ± standard deviation.</p>",
        f'<div class="wide">{"".join(_table(built))}</div>',
        *(f'<p class="sub">{escape(mark)}: {escape(what)}.</p>' for mark, what in built["marks"].items()),
        *([f"<h2>In a chart</h2>{drawn}"] if drawn else []),
        *_list("Orderings that the paper shows", verdicts(built)),
        *_list("Not run", reasons(built)),
        "<h2>Runs</h2>",
        f'<div class="wide"><table class="runs">{"".join(_runs(built))}</table></div>',
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
    )
    return f"{head}<body><main>{''.join(body)}</main></body></html>"


def _table(built: Mapping[str, Any]) -> Iterator[str]:
    columns = built["columns"]
    yield '<table><thead><tr><th scope="col"></th>'
    for one in columns:
        unit = one["unit"] if one["unit"] not in one["title"] else ""
        yield f'<th scope="colgroup" colspan="3">{escape(one["title"])} {escape(unit)}</th>'
    yield '</tr><tr><th scope="col"></th>'
    yield '<th scope="col">paper</th><th scope="col">ours</th><th scope="col">difference</th>' * len(columns)
    yield "</tr></thead><tbody>"
    for row in built["rows"]:
        yield f'<tr><th scope="row">{escape(row["title"])}</th>'
        for one in columns:
            published, ours = (escape(cell) for cell in cells(row, one))
            runs = row["ours"].get(one["column"], {}).get("runs", [])
            linked = f'<a href="#{escape(runs[0])}">{ours}</a>' if runs else ours
            yield f'<td>{published}</td><td>{linked}</td><td class="diff">{escape(difference(row, one))}</td>'
        yield "</tr>"
    yield "</tbody></table>"


def _list(head: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"<h2>{escape(head)}</h2><ul>"
        yield from (f"<li>{escape(line)}</li>" for line in lines)
        yield "</ul>"


def _runs(built: Mapping[str, Any]) -> Iterator[str]:
    yield '<thead><tr><th scope="col">run</th><th scope="col">state</th><th scope="col">minutes</th>'
    yield '<th scope="col">command</th></tr></thead><tbody>'
    for name, run in built["runs"].items():
        there = f"runs/{name}/{'recipe.yaml' if run['kind'] in ('pretrain', 'transfer') else ''}"
        shown = f'<a href="{escape(there)}">{escape(name)}</a>' if run["state"] == "done" else escape(name)
        minutes = f"{run['minutes']:.1f}" if run["minutes"] else ""
        command = escape(join(run["command"]))
        yield f'<tr id="{escape(name)}"><td>{shown}</td><td>{run["state"]}</td><td>{minutes}</td>'
        yield f"<td><details><summary>show</summary><code>{command}</code></details></td></tr>"
    yield "</tbody>"
