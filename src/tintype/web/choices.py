"""What somebody has chosen for a photograph on the page, as it comes from there: JSON, to be believed only in part."""

import json
import math
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from tintype.runtime.formats import DEEP, FORMATS
from tintype.runtime.hints import Hint

MOST_HINTS = 200
ALTERNATIVES = 5


@dataclass(frozen=True)
class Choices:
    """How a photograph is to look.

    Attributes:
        hints: known colours.
        alternative: number of one, from 0; None for the usual colorization.
        temperature: of the annealed mean; None for the model's own.
        saturation: what ab is multiplied by.
        suffix: of the file, with its dot; None for the photograph's own format.
        depth: bits a channel.
    """

    hints: tuple[Hint, ...] = ()
    alternative: int | None = None
    temperature: float | None = None
    saturation: float = 1.0
    suffix: str | None = None
    depth: int = 8


def read_choices(body: bytes) -> Choices:
    """Choices from JSON, of which all may be left out.

    Raises:
        HTTPException: 400; in one line.
    """
    try:
        told = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise HTTPException(400, "the body must be a JSON object")
    strange = sorted(set(told) - set(Choices.__dataclass_fields__))
    if strange:
        raise HTTPException(400, f"unknown: {', '.join(map(ascii, strange))[:200]}")
    hints = told.get("hints", [])
    if not isinstance(hints, list) or len(hints) > MOST_HINTS:
        raise HTTPException(400, f"hints: a list of at most {MOST_HINTS}")
    alternative = told.get("alternative")
    if alternative is not None and (type(alternative) is not int or not 0 <= alternative < ALTERNATIVES):
        raise HTTPException(400, f"alternative: a whole number from 0 to {ALTERNATIVES - 1}")
    suffix, depth = told.get("suffix"), told.get("depth", 8)
    if suffix is not None and (not isinstance(suffix, str) or suffix not in FORMATS):
        raise HTTPException(400, f"suffix: one of {', '.join(sorted(FORMATS))}")
    deep = suffix is not None and FORMATS[suffix] in DEEP
    if type(depth) is not int or depth not in ((8, 16) if deep else (8,)):
        raise HTTPException(400, "depth: 8, or 16 with suffix .png, .tif or .tiff")
    return Choices(
        hints=tuple(_hint(hint) for hint in hints),
        alternative=alternative,
        temperature=None if told.get("temperature") is None else number(told, "temperature", 0.01, 10),
        saturation=number(told, "saturation", 0, 10) if "saturation" in told else 1.0,
        suffix=suffix,
        depth=depth,
    )


def _hint(told: Any) -> Hint:
    if not isinstance(told, dict) or set(told) != {"y", "x", "a", "b"}:
        raise HTTPException(400, "a hint has y, x, a and b")
    places = (number(told, axis, 0, 1) for axis in ("y", "x"))
    return Hint(*places, *(number(told, axis, -128, 128) for axis in ("a", "b")))


def number(told: Any, name: str, least: float, most: float) -> float:
    """A number by its name. Raises HTTPException (400) where it is none, or outside of [least, most]."""
    try:
        value = float(told[name])
    except (KeyError, TypeError, ValueError, OverflowError):
        value = math.nan
    if not least <= value <= most or isinstance(told[name], bool):
        raise HTTPException(400, f"{name}: a number from {least:g} to {most:g}")
    return value
