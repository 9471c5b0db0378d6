"""Pieces of HTML that every section of the report is made of. Whatever comes from a person goes through `text`."""

import base64
import html
import io
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

QUALITY = 85


def text(value: object) -> str:
    """Anything as text of a page: markup escaped; characters that cannot be shown, or turn writing round, told."""
    return html.escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(value)))


def section(name: str, title: str, *content: str) -> str:
    """A part of the page; its title is ours, not a person's."""
    return f'<section id="{name}"><h2>{title}</h2>{"".join(content)}</section>'


def table(head: Sequence[str], bodies: Iterable[tuple[str, Iterable[Sequence[str]]]], caption: str = "") -> str:
    """A table in a box that scrolls by itself where the page is narrow.

    Args:
        head: cells as HTML, each `<th>` whole.
        bodies: groups of rows, each with its class; the cells of a row are `<th>` or `<td>`, whole.
        caption: HTML.
    """
    above = f"<caption>{caption}</caption>" if caption else ""
    groups = "".join(f'<tbody class="{kind}">{"".join(map(_row, rows))}</tbody>' for kind, rows in bodies)
    return f'<div class="box" tabindex="0"><table>{above}<thead>{_row(head)}</thead>{groups}</table></div>'


def _row(cells: Sequence[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names with what they are, both as HTML."""
    return f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{what}</dd></div>' for name, what in pairs)}</dl>"


def picture(pixels: NDArray[np.uint8], name: str, side: int) -> str:
    """An (h, w, 3) uint8 picture in the page itself, as a JPEG with its longer side at most `side`."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=QUALITY, optimize=True)
    source = base64.b64encode(data.getvalue()).decode()
    width, height = image.size
    return f'<img src="data:image/jpeg;base64,{source}" width="{width}" height="{height}" alt="{text(name)}">'
