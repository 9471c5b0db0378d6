"""The curves behind AuC, as SVG in the page."""

from collections.abc import Mapping, Sequence

from tintype.evaluate.report.parts import text

WIDTH, HEIGHT = 400, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 10, 44  # room around the plot, for the axes
LARGEST = 150  # threshold of ab error

_COLOURS = 6  # --c1 … --c6 in the page's style: Okabe and Ito's, which the colour-blind can tell apart
_DASHES = ("", "7 3", "2 3")  # for the methods after the sixth


def place(error: float, share: float) -> tuple[float, float]:
    """Where in the drawing a point lies: an ab error of 0 to 150, and a share of pixels from 0 to 1."""
    x = LEFT + error / LARGEST * (WIDTH - LEFT - RIGHT)
    return x, TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def looks(methods: Sequence[str]) -> dict[str, str]:
    """The style of each method's line: reference rows in greys, the others in colours."""
    fixed = {
        "grey": "stroke:var(--quiet);stroke-dasharray:7 4",
        "random": "stroke:var(--quiet);stroke-dasharray:1.5 3",
        "ground-truth": "stroke:var(--ink);stroke-width:1.2",
    }
    styles = {}
    number = 0
    for name in methods:
        if name in fixed:
            styles[name] = fixed[name]
            continue
        dashes = _DASHES[number // _COLOURS % len(_DASHES)]
        styles[name] = f"stroke:var(--c{number % _COLOURS + 1})" + (f";stroke-dasharray:{dashes}" if dashes else "")
        number += 1
    return styles


def plot(curves: Mapping[str, Sequence[float]], title: str) -> str:
    """One drawing: the share of pixels whose ab error is at most 0, 1, …, 150, a line for each method.

    Args:
        curves: 151 shares from 0 to 1 of each method.
        title: HTML, ours.
    """
    styles = looks(list(curves))
    lines = "".join(
        f'<path class="line" style="{styles[name]}" d="{_path(shares)}"><title>{text(name)}</title></path>'
        for name, shares in curves.items()
    )
    (left, bottom), (right, top) = place(0, 0), place(LARGEST, 1)
    grid, labels = "", ""
    for percent in (0, 25, 50, 75, 100):
        _, y = place(0, percent / 100)
        grid += f"M{left} {y:g}H{right:g}"
        labels += f'<text x="{left - 6}" y="{y + 4:g}" text-anchor="end">{percent}</text>'
    for error in (0, 50, 100, 150):
        x, _ = place(error, 0)
        grid += f"M{x:g} {top:g}V{bottom:g}"
        anchor = "end" if error == LARGEST else "middle"
        labels += f'<text x="{x:g}" y="{bottom + 17:g}" text-anchor="{anchor}">{error}</text>'
    middle = (top + bottom) / 2
    labels += f'<text x="{(left + right) / 2:g}" y="{HEIGHT - 6}" text-anchor="middle">ab error at most</text>'
    labels += f'<text transform="rotate(-90) translate({-middle:g} 13)" text-anchor="middle">% of pixels</text>'
    drawing = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
        f'<path class="grid" d="{grid}"/>{labels}{lines}</svg>'
    )
    return f'<figure class="plot"><figcaption>{title}</figcaption>{drawing}</figure>'


def legend(methods: Sequence[str]) -> str:
    """Which line is whose."""
    items = "".join(
        f'<li><svg viewBox="0 0 30 10" width="30" height="10" aria-hidden="true">'
        f'<path class="line" style="{style}" d="M1 5H29"/></svg>{text(name)}</li>'
        for name, style in looks(methods).items()
    )
    return f'<ul class="legend">{items}</ul>'


def _path(shares: Sequence[float]) -> str:
    points = (place(error, share) for error, share in enumerate(shares))
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
