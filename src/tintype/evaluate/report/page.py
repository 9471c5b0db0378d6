"""The report's page: everything in one file, nothing loaded from elsewhere, no script."""

from collections.abc import Mapping
from typing import Any

from tintype.evaluate.figures import FIGURES
from tintype.evaluate.published import MARKS
from tintype.evaluate.report.classes import class_tables
from tintype.evaluate.report.curves import legend, plot
from tintype.evaluate.report.parts import facts, section, text
from tintype.evaluate.report.photographs import Pictures, gallery
from tintype.evaluate.report.style import STYLE
from tintype.evaluate.report.tables import REFERENCE, figure_tables, known, published_tables

# Nothing may be fetched or run, even if a name should slip through unescaped.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def report(result: Mapping[str, Any], pictures: Pictures, title: str = "") -> str:
    """The page of one evaluation.

    Args:
        result: what `tintype evaluate --json` prints, see docs/evaluate.md.
        pictures: from a photograph and a method, both named as in the result, to the picture, (h, w, 3) uint8.
        title: plain text; by default the methods and the number of photographs.

    Returns:
        One HTML document.
    """
    count = f"{result['images']:,} photograph{'' if result['images'] == 1 else 's'}"
    own = [name for name in result["methods"] if name not in REFERENCE]
    title = title or f"{', '.join(own) or 'Reference rows'} on {count}"
    sections = [
        section("figures", "Figures", _FIGURES, figure_tables(result)),
        section("published", "Beside what papers printed", _published_note(result), published_tables(result)),
        section("curves", "Curves", _curves(result)),
    ]
    if any(result["gallery"].values()):
        sections.append(section("gallery", "Best, median and worst", _GALLERY, gallery(result, pictures)))
    if result["classes"] is not None and "grey" in result["methods"]:
        sections.append(section("classes", "Classes", _CLASSES, class_tables(result["classes"], own)))
    if result["damaged"]:
        sections.append(section("damaged", "Left out", _damaged(result)))
    sections.append(section("reading", "How to read the figures", _reading(result)))
    links = "".join(
        f'<a href="#{name}">{label}</a>'
        for name, label in _LINKS.items()
        if any(part.startswith(f'<section id="{name}"') for part in sections)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head><body>"
        f'<header><h1>{text(title)}</h1><ul class="lead">{_leads(result, own)}</ul><nav>{links}</nav></header>'
        f"<main>{_protocol(result['protocol'], count)}{''.join(sections)}</main></body></html>\n"
    )


_LINKS = {
    "figures": "Figures",
    "published": "Published",
    "curves": "Curves",
    "gallery": "Pictures",
    "classes": "Classes",
    "damaged": "Left out",
    "reading": "How to read",
}

_FIGURES = """<p>Below each figure is its 95 % interval, where it has one. ↑ higher is better, ↓ lower is better. The
rows <em>grey</em> (no colour at all), <em>random</em> (the colours of another photograph) and <em>ground-truth</em>
(the photographs themselves) are there to compare with.</p>"""

_GALLERY = """<p>Photographs in the order of a method's rebalanced AuC on each, which stands above the pictures. A low
figure means colours far from the true ones; they may be good colours all the same.</p>"""

_CLASSES = """<p>Top-1 of each class with the method's colours, minus that of the grey pictures. Few photographs to a
class make large steps.</p>"""

_LEADS = ("auc", "auc_rebalanced", "top1", "agreement", "fid", "frechet", "colourfulness")


def _leads(result: Mapping[str, Any], own: list[str]) -> str:
    methods = result["methods"]
    items = []
    for name in own:
        parts = []
        for key in _LEADS:
            if methods[name].get(key) is None:
                continue
            figure = FIGURES[key]
            others = [
                f"{label} {figure.text(methods[row][key])}"
                for row, label in (("grey", "grey"), ("ground-truth", "true"))
                if methods.get(row, {}).get(key) is not None and not (row == "ground-truth" and key not in _TRUE)
            ]
            beside = f' <span class="quiet">({", ".join(others)})</span>' if others else ""
            parts.append(f"{text(figure.label)} <b>{figure.text(methods[name][key])}</b>{beside}")
        items.append(f"<li><b>{text(name)}</b>: {', '.join(parts)}</li>")
    return "".join(items)


_TRUE = ("top1", "colourfulness")  # figures of which the true photographs' own value is no matter of course


def _published_note(result: Mapping[str, Any]) -> str:
    classifier = (result["protocol"].get("classifier") or {}).get("name")
    other = f" Our top-1 is from {text(classifier)}, not from VGG-16." if classifier else ""
    marks = "; ".join(f"<sup>{mark}</sup> {text(what)}" for mark, what in MARKS.items())
    return (
        "<p><b>The protocols differ:</b> the papers' photographs, sizes, priors and networks are not those of this "
        "evaluation, so rows of the two kinds cannot be ranked against each other. Compare distances to the grey row "
        f"within each kind.{other}</p>"
        f'<p class="small">How sure a published figure is: {marks}.</p>'
    )


def _curves(result: Mapping[str, Any]) -> str:
    curves = result["curves"]
    plots = "".join(
        plot({name: both[kind] for name, both in curves.items()}, title)
        for kind, title in (
            ("all", "All pixels alike"),
            ("rebalanced", "Pixels weighted by the rarity of their colour"),
        )
    )
    note = "<p>The share of pixels whose colour is at most so far from the true one. AuC is the area below.</p>"
    return f'{note}{legend(list(curves))}<div class="plots">{plots}</div>'


def _damaged(result: Mapping[str, Any]) -> str:
    count = len(result["damaged"])
    items = [(f"<code>{text(one['input'])}</code>", text(one["error"])) for one in result["damaged"]]
    listed = facts(items)
    if count > 10:
        listed = f"<details><summary>All {count}</summary>{listed}</details>"
    return f"<p>{count} not measured, with any method.</p>{listed}"


def _reading(result: Mapping[str, Any]) -> str:
    return facts((text(FIGURES[name].label), text(FIGURES[name].what)) for name in known(result))


def _protocol(protocol: Mapping[str, Any], count: str) -> str:
    """What a figure must be told with: the chief choices, and all others one click away."""
    classifier = protocol.get("classifier") or {}
    chief = {
        "photographs": count,
        "protocol": protocol.get("preset"),
        "resize and crop": protocol.get("resize"),
        "rarity of colours": protocol.get("prior"),
        "classifier": classifier.get("name"),
        "labels": protocol.get("labels"),
        "intervals": protocol.get("intervals"),
        "seed": protocol.get("seed"),
        "tintype": protocol.get("tintype"),
    }
    shown = facts((name, text(value)) for name, value in chief.items() if value is not None)
    return (
        f'<section id="protocol" class="card"><p><b>Protocol.</b> Figures can be compared only where all of this is '
        f"the same.</p>{shown}<details><summary>Everything, with versions and hashes</summary>{_all(protocol)}"
        "</details></section>"
    )


def _all(what: Any) -> str:
    if isinstance(what, Mapping):
        pairs = (
            (text(str(key).replace("_", " ")), _all(value)) for key, value in what.items() if value not in (None, {})
        )
        return facts(pairs)
    return text(what) if not isinstance(what, list | tuple) else text(", ".join(map(str, what)))
