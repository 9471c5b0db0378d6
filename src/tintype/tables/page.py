"""A table as one page that needs nothing else: no script, no font, no picture from elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any

from tintype.evaluate.figures import NOTHING
from tintype.evaluate.report.parts import text
from tintype.tables.chart import chart
from tintype.tables.run_list import run_list
from tintype.tables.style import STYLE
from tintype.tables.words import cells, damaged, parts_of, seeds, verdicts

# Nothing may be fetched or run, even if a name should slip through unescaped.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(built: Mapping[str, Any]) -> str:
    """The table, its chart, orderings, why cells are empty, and every run, to which the figures are linked."""
    title = text(built["title"])
    notes = _notes(built)
    drawn = chart(built)
    less = " The difference is ours less the paper's." if len(parts_of(built)) > 1 else ""
    body = [
        f"<h1>{title}</h1>",
        f'<p class="sub">Paper: {text(built["source"])}. {text(built["protocol"])}.</p>',
        f'<p class="sub">Ours: scale <b>{text(built["scale"])}</b>: {text(built["about"])}. {text(seeds(built))}: '
        f"mean ± standard deviation.{less}</p>",
        f'<div class="wide" tabindex="0" role="region" aria-label="The table"><table>{"".join(_table(built, notes))}'
        "</table></div>",
        *(f'<p class="sub"><b>{text(mark)}</b>: {text(what)}.</p>' for mark, what in built["marks"].items()),
        *_footnotes(notes),
        *([f"<h2>In a chart</h2>{drawn}"] if drawn else []),
        *_list("Orderings", verdicts(built)),
        "<h2>Runs</h2>",
        f'<div class="wide" tabindex="0" role="region" aria-label="Runs">{run_list(built)}</div>',
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
    )
    return f"{head}<body><main>{''.join(body)}</main></body></html>"


def _notes(built: Mapping[str, Any]) -> dict[str, int]:
    """Reasons for what is missing, numbered."""
    found = dict.fromkeys(reason for row in built["rows"] for one in built["columns"] if (reason := _reason(row, one)))
    return {reason: number for number, reason in enumerate(found, start=1)}


def _footnotes(notes: Mapping[str, int]) -> Iterator[str]:
    if notes:
        yield '<ol class="notes">'
        yield from (f'<li id="note-{number}">{text(reason)}</li>' for reason, number in notes.items())
        yield "</ol>"


def _table(built: Mapping[str, Any], notes: Mapping[str, int]) -> Iterator[str]:
    columns, shown = built["columns"], parts_of(built)
    yield '<thead><tr><td rowspan="2"></td>'
    for one in columns:
        unit = f" <small>{text(one['unit'])}</small>" if one["unit"] else ""
        yield f'<th scope="colgroup" colspan="{len(shown)}">{text(one["title"])}{unit}</th>'
    yield "</tr><tr>"
    first, *others = shown
    under = [f'<th scope="col" class="first">{first}</th>', *(f'<th scope="col">{part}</th>' for part in others)]
    yield "".join(under) * len(columns)
    yield "</tr></thead><tbody>"
    for row in built["rows"]:
        yield f'<tr><th scope="row">{text(row["title"])}</th>'
        for one in columns:
            *_, difference = cells(row, one)
            ours = _ours(row, one, notes)
            if len(shown) == 1:
                yield f'<td class="first">{ours}</td>'
                continue
            yield f'<td class="first">{_published(row, one)}</td><td>{ours}</td>'
            yield f'<td class="diff">{text(difference)}</td>'
        yield "</tr>"
    yield "</tbody>"


def _published(row: Mapping[str, Any], column: Mapping[str, Any]) -> str:
    quoted = row["published"].get(column["column"])
    return f'{text(quoted["printed"])}<span class="mark">{text(quoted["mark"])}</span>' if quoted else NOTHING


def _ours(row: Mapping[str, Any], column: Mapping[str, Any], notes: Mapping[str, int]) -> str:
    """Our figure, linked to the first of its runs, and the number of the reason why it or a seed is missing."""
    name = column["column"]
    _, shown, _ = cells(row, column)
    cell = row["ours"].get(name)
    if cell:
        values = ", ".join(f"{value:.{column['digits']}f}" for value in cell["values"])
        shown = text(shown)
        if cell["runs"]:  # a study has none
            shown = f'<a href="#{text(cell["runs"][0])}" title="{text(values)}">{shown}</a>'
    reason = _reason(row, column)
    if not reason:
        return shown
    number = notes[reason]
    return f'{shown}<sup><a href="#note-{number}" aria-label="note {number}">{number}</a></sup>'


def _reason(row: Mapping[str, Any], column: Mapping[str, Any]) -> str:
    """Why a cell or some of it is missing; "" where nothing is."""
    name = column["column"]
    cell = row["ours"].get(name)
    return row["not_run"].get(name) or (damaged(cell) if cell else "")


def _list(head: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f'<h2>{text(head)}</h2><ul class="plain">'
        yield from (f"<li>{text(line)}</li>" for line in lines)
        yield "</ul>"
