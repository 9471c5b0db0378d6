"""The results as one page that needs nothing else: no script, no font, no picture from elsewhere."""

import base64
from collections.abc import Iterator
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from tintype.study.chart import bars
from tintype.study.errors import StudyError
from tintype.study.folder import PICTURES, Study
from tintype.study.words import points, rows, span, still_needed

SHOWN = 6  # pictures at each end
SIDE, QUALITY = 160, 82

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f4f4; color: #1c1c1c; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: clamp(1.5rem, 5vh, 3rem) 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
.sub { color: #555; margin: 0 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .9rem .35rem 0; text-align: right; border-bottom: 1px solid #d4d4d4; white-space: nowrap; }
th { font-weight: 600; }
.words td, .words th, th:first-child, td:first-child { text-align: left; }
.words td { vertical-align: top; }
.words td:last-child { white-space: normal; min-width: 12rem; }
svg { width: 100%; max-width: 42rem; height: auto; display: block; }
svg text { font: 13px system-ui, sans-serif; fill: #1c1c1c; }
svg .tick { fill: #555; text-anchor: middle; font-size: 12px; }
svg .name { text-anchor: end; }
.grid { stroke: #dcdcdc; } .half { stroke: #777; stroke-dasharray: 4 3; }
.bar { fill: #5b7fa6; } .whisker { stroke: #1c1c1c; stroke-width: 1.5; fill: none; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; background: #fff; padding: .5rem; border-radius: .4rem; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: .4rem; }
.two img { width: 100%; height: auto; display: block; aspect-ratio: 1; }
.two span { font-size: .8rem; color: #555; }
figcaption { font-size: .9rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  table { font-size: .875rem; }
  th, td { padding-right: .6rem; }
  svg text { font-size: 19px; }
  svg .tick { font-size: 17px; }
}
"""


def write_report(folder: Path, study: Study, results: dict[str, Any]) -> str:
    """The page, with the most and the least convincing pictures of each method beside the true ones.

    Args:
        folder: the study's, in which the pictures are.
        results: from `tintype.study.results.results`.

    Raises:
        StudyError: a picture cannot be read.
    """
    visitors, answers = results["visitors"], results["answers"]
    body = [
        f"<h1>{escape(study.title)}</h1>",
        f'<p class="sub">Real-vs-fake study: {visitors["begun"]} visitors began, {visitors["finished"]} finished, '
        f"the answers of {visitors['counted']} count.</p>",
        "<h2>How often visitors were fooled</h2>",
        "<p>Share of test pairs in which the picture with made-up colours was taken for the true one, "
        "with 95 % intervals (bootstrap over visitors).</p>",
        bars(results["methods"]),
        _table(*rows(results)),
        *_differences(results["differences"]),
        *_excluded(results),
        f"<p>Of {answers['test']} answers to test pairs {answers['counted']} count. Not counted, whoever gave them: "
        f"{answers['shown_again']} to pairs that were shown more than once, {answers['exposure_off']} to pairs whose "
        f"exposure was off by more than {results['protocol']['exposure_tolerance_ms']:.0f} ms.</p>",
        *_galleries(folder, study, results["pictures"]),
        "<h2>Protocol</h2>",
        _table(["setting", "value"], *_protocol(results["protocol"]), words=True),
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(study.title)}: results</title><style>{STYLE}</style></head>"
    )
    return f"{head}<body><main>{''.join(body)}</main></body></html>\n"


def _protocol(protocol: dict[str, Any]) -> list[list[str]]:
    exposure = f"{protocol['exposure_s']:g} s each, one after the other, in random order on random sides"
    return [
        ["pairs", f"{protocol['practice']} for practice, with feedback, and {protocol['trials']} that count"],
        ["exposure", f"{exposure}; then unlimited time to answer"],
        ["pictures", f"{protocol['pictures']}, none twice to a visitor; {protocol['size']}"],
        ["interval", protocol["interval"]],
        ["visitors needed", protocol["power"]],
        ["made with", f"tintype {protocol['tintype']}"],
    ]


def _differences(differences: list[dict[str, Any]]) -> Iterator[str]:
    if not differences:
        return
    yield "<h2>Are the methods apart?</h2>"
    yield "<p>The last column estimates how many more visitors would show a difference as large as the one seen so "
    yield "far, by a two-sided test at 5 % with a power of 80 %.</p>"
    cells = [
        [" - ".join(difference["methods"]), points(difference["percent"]), span(difference), still_needed(difference)]
        for difference in differences
    ]
    yield _table(["methods", "difference", "95 % interval", "visitors still needed"], *cells)


def _excluded(results: dict[str, Any]) -> Iterator[str]:
    left_out = results["visitors"]["excluded"]
    yield "<h2>Who was left out</h2><p>A visitor is left out who</p><ul>"
    yield from (f"<li>{escape(check)}</li>" for check in results["rule"])
    yield f"</ul><p>{len(left_out)} of {results['visitors']['begun']} were.</p>"
    if left_out:
        cells = [[str(entry["visitor"]), entry["method"], "; ".join(entry["reasons"])] for entry in left_out]
        yield _table(["visitor", "method", "reason"], *cells, words=True)


def _galleries(folder: Path, study: Study, ranked: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    by_name = {picture.name: picture for picture in study.pictures}
    for method, entries in ranked.items():
        if not entries:
            continue
        shown = min(SHOWN, -(-len(entries) // 2))  # no picture at both ends
        yield f"<h2>Pictures of {escape(method)}</h2>"
        ends = ("Most convincing", entries[:shown]), ("Least convincing", entries[shown:][::-1][:SHOWN])
        for heading, end in ends:
            if end:
                yield f'<h3>{heading}</h3><div class="gallery">'
            for entry in end:
                picture = by_name[entry["picture"]]
                yield '<figure><div class="two">'
                for label, file in (("made up", picture.methods[method]), ("true", picture.true)):
                    data = _embedded(folder / PICTURES / file)
                    yield f'<div><img alt="{label}" src="{data}"><span>{label}</span></div>'
                yield f"</div><figcaption>fooled in {entry['fooled']} of {entry['trials']}: {escape(entry['picture'])}"
                yield "</figcaption></figure>"
            if end:
                yield "</div>"


def _embedded(path: Path) -> str:
    try:
        with Image.open(path) as picture:
            small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    except OSError as error:
        raise StudyError(f"{path}: {error.strerror or 'damaged'}") from error
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _table(heads: list[str], *rows: list[str], words: bool = False) -> str:
    lines = ["".join(f"<th>{escape(head)}</th>" for head in heads)]
    lines += ["".join(f"<td>{escape(cell)}</td>" for cell in cells) for cells in rows]
    kind = ' class="words"' if words else ""
    return f'<div class="wide"><table{kind}>{"".join(f"<tr>{line}</tr>" for line in lines)}</table></div>'
