"""Photographs whose colours are being chosen on the page.

The network runs once for each. What it says is kept in memory, so that hints, alternatives and sliders are answered at
once. Only those that were used last are kept; of another the page sends the photograph again.
"""

import asyncio
import base64
import io
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tintype.color.lab import lab_to_rgb, lightness_to_grey
from tintype.runtime import Colorizer
from tintype.runtime.buffers import Plane
from tintype.runtime.draft import Colours, Draft
from tintype.runtime.formats import FORMATS
from tintype.runtime.merge import Merge
from tintype.runtime.negative import invert
from tintype.runtime.photo import Photo, even_lightness
from tintype.runtime.read import count_pages, read_photo
from tintype.runtime.write import to_image, write_photo
from tintype.web.choices import ALTERNATIVES, Choices, number, read_choices
from tintype.web.files import SUFFIXES, TYPES, photograph
from tintype.web.sending import picture, whole
from tintype.web.turns import Turns

MOST_DRAFTS = 64  # kept
MOST_BYTES = 1_000_000_000  # of what is kept of them
OCTAVES = (-2, -1, 0, 1)  # of temperature about the model's own, between which the page goes by itself
MOST_ENTROPY = float(np.log(313))
_LONGEST_CHOICES = 100_000  # bytes
_THUMBNAIL = 320  # pixels along the longer side
_LONGEST_SIDE = 32767  # pixels; browsers open no picture that is longer, and JPEG ends at 65500

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Kept:
    """A draft, and what its photograph was.

    Attributes:
        temperatures: of the annealed mean, an octave apart, the last the most colourful.
        own: which of them is the model's own.
        suffix: of the format that its colour version has.
        pages: of the file that it is a page of.
        opacity: of the guide's pixels, 0 to 1, None where all are 1.
    """

    draft: Draft
    temperatures: tuple[float, ...]
    own: int
    suffix: str
    pages: int
    opacity: Plane | None = None

    def coefficients(self, ab: Colours) -> tuple[Plane, Plane]:
        """A and B of ab = A L + B, as it is seen before white."""
        slope, offset = self.draft.coefficients(ab)
        return (slope, offset) if self.opacity is None else (slope * self.opacity, offset * self.opacity)

    @property
    def bytes(self) -> int:
        """What it takes in memory, about."""
        photo = self.draft.photo
        alpha = 0 if photo.alpha is None else photo.alpha.nbytes
        # Beside the distribution's logits there may be a few alternatives, which are small.
        return photo.codes.nbytes + alpha + 12 * self.draft.guide.nbytes + 313 * 4 * self.draft.guide.size // 64


class Shelf:
    """The drafts that were used last, by name."""

    def __init__(self, most: int = MOST_DRAFTS, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def put(self, kept: Kept) -> str:
        """Keeps a draft, under a name that nobody can guess; the one just put always fits."""
        name = secrets.token_urlsafe(16)
        self._kept[name] = kept
        while len(self._kept) > 1 and (
            len(self._kept) > self._most or sum(one.bytes for one in self._kept.values()) > self._most_bytes
        ):
            self._kept.popitem(last=False)
        return name

    def get(self, name: str) -> Kept:
        """Raises HTTPException (404) where it is not kept, or not any more."""
        try:
            self._kept.move_to_end(name)
        except KeyError:
            raise HTTPException(404, "this photograph is not kept any more; send it again") from None
        return self._kept[name]

    def drop(self, name: str) -> None:
        """Forgets one, if it is there."""
        self._kept.pop(name, None)


@dataclass(frozen=True)
class _Asked:
    source: Path
    page: int
    negative: bool
    as_is: bool


class Drafts:
    """What the page asks.

    Args:
        colorizer: whose model tells a distribution.
        turns: for what takes its time. All else is answered by a thread of its own, without waiting for those.
    """

    def __init__(self, colorizer: Colorizer, turns: Turns) -> None:
        self._colorizer, self._turns = colorizer, turns
        self._shelf = Shelf()
        self._quick = ThreadPoolExecutor(1, "draft")

    def routes(self) -> list[Route]:
        """All below /api/drafts."""
        one = "/api/drafts/{name}"
        return [
            Route("/api/drafts", self.begin, methods=["POST"]),
            Route(one, self.forget, methods=["DELETE"]),
            Route(f"{one}/lightness", self.lightness),
            Route(f"{one}/entropy", self.entropy),
            Route(f"{one}/suggestions", self.suggestions),
            Route(f"{one}/alternatives", self.alternatives),
            Route(f"{one}/colours", self.colours, methods=["POST"]),
            Route(f"{one}/preview", self.preview, methods=["POST"]),
            Route(f"{one}/picture", self.picture, methods=["POST"]),
        ]

    def close(self) -> None:
        """Ends its thread."""
        self._quick.shutdown(cancel_futures=True)

    async def begin(self, request: Request) -> Response:
        """Takes a photograph, and runs the network."""
        self._turns.check_token(request)
        if not self._colorizer.model.has_distribution:
            raise HTTPException(501, "this model tells no distribution over colours: it serves other programs only")
        kept, folder = await self._turns.take(request, self._read, self._make)
        await asyncio.to_thread(folder.cleanup)
        draft = kept.draft
        height, width = draft.shape
        return JSONResponse(
            {
                "name": self._shelf.put(kept),
                "width": width,
                "height": height,
                "guide": {"width": draft.guide.shape[1], "height": draft.guide.shape[0], "factor": draft.factor},
                "temperatures": kept.temperatures,
                "own": kept.own,
                "suffix": kept.suffix,
                "deep": draft.photo.codes.dtype == np.uint16,
                "pages": kept.pages,
                "looks_negative": draft.photo.orange,
            },
            201,
        )

    async def forget(self, request: Request) -> Response:
        self._turns.check_token(request)
        self._shelf.drop(request.path_params["name"])
        return Response(status_code=204)

    async def lightness(self, request: Request) -> Response:
        """The photograph in grey, as an 8-bit JPEG; what is transparent is white. A very long one is reduced."""
        kept = self._known(request)
        return whole(await self._answer(kept, lambda kept: _grey(kept.draft.photo)), "image/jpeg")

    async def entropy(self, request: Request) -> Response:
        """In bytes, of which 255 is the most that there can be, with width and height in the headers."""
        entropy = await self._answer(self._known(request), lambda kept: kept.draft.entropy)
        levels = np.rint(entropy * np.float32(255 / MOST_ENTROPY)).clip(0, 255).astype(np.uint8)
        size = {"X-Width": str(levels.shape[1]), "X-Height": str(levels.shape[0])}
        return Response(levels.tobytes(), media_type="application/octet-stream", headers=size)

    async def suggestions(self, request: Request) -> Response:
        """The model's own for a place, and what grey stands there."""
        asked = self._known(request)
        y, x = (number(request.query_params, axis, 0, 1) for axis in ("y", "x"))

        def suggest(kept: Kept) -> dict[str, Any]:
            draft = kept.draft
            lightness = _at(draft.guide, y, x)
            return {
                "lightness": lightness,
                "colours": [
                    {"a": a, "b": b, "probability": probability, "rgb": _rgb(lightness, a, b)}
                    for a, b, probability in draft.suggestions(y, x)
                ],
            }

        return JSONResponse(await self._answer(asked, suggest))

    async def alternatives(self, request: Request) -> Response:
        """Small pictures: the usual colorization, then the alternatives, as JPEG in base64."""

        def show(kept: Kept) -> list[str]:
            looks = [Choices(), *(Choices(alternative=number) for number in range(ALTERNATIVES))]
            return [base64.b64encode(_small(kept, look)).decode() for look in looks]

        return JSONResponse({"pictures": await self._answer(self._known(request), show)})

    async def colours(self, request: Request) -> Response:
        """A and B of ab = A L + B at several temperatures, from which the page paints.

        (temperatures, h, w, 4) float16, little-endian, of the guide's h and w: A of a, A of b, B of a, B of b.
        """
        asked, choices = self._known(request), await self._choices(request)

        def paint(kept: Kept) -> bytes:
            planes = [
                np.concatenate(kept.coefficients(kept.draft.ab(temperature, choices.hints, choices.alternative)))
                for temperature in kept.temperatures
            ]
            return np.stack(planes).transpose(0, 2, 3, 1).astype("<f2").tobytes()

        return whole(await self._answer(asked, paint), "application/octet-stream")

    async def preview(self, request: Request) -> Response:
        """A small JPEG of how it is to look."""
        asked, choices = self._known(request), await self._choices(request)
        return Response(await self._answer(asked, lambda kept: _small(kept, choices)), media_type="image/jpeg")

    async def picture(self, request: Request) -> Response:
        """The file as it is to be: full resolution, metadata, its own format unless another is asked for."""
        kept = self._known(request)

        async def read(request: Request, folder: Path) -> Choices:
            return await self._choices(request)

        def write(choices: Choices, folder: Path) -> Path:
            photo, suffix = kept.draft.photo, choices.suffix or kept.suffix
            target = folder / f"color{suffix}"
            write_photo(
                _merged(kept.draft, choices),
                photo.alpha is not None,
                photo.metadata,
                target,
                False,
                self._colorizer.threads,
                choices.depth,
            )
            return target

        target, folder = await self._turns.take(request, read, write)
        return picture(folder, target, TYPES[FORMATS[target.suffix]])

    def _known(self, request: Request) -> Kept:
        """The draft that is asked about. Who may not ask is refused before anything of the request is read."""
        self._turns.check_token(request)
        return self._shelf.get(request.path_params["name"])

    async def _answer(self, kept: Kept, work: Callable[[Kept], Answer]) -> Answer:
        """What is answered at once."""
        return await asyncio.get_running_loop().run_in_executor(self._quick, work, kept)

    async def _choices(self, request: Request) -> Choices:
        return read_choices(b"".join([part async for part in self._turns.body(request, _LONGEST_CHOICES)]))

    async def _read(self, request: Request, folder: Path) -> _Asked:
        """A photograph: its bytes are the body. Its suffix may be told, by which raw files are known."""
        options = request.query_params
        strange = sorted(set(options) - {"suffix", "page", "negative", "as_is"})
        if strange:
            raise HTTPException(400, f"unknown: {', '.join(strange)[:200]}")
        switches = [options.get(name, "0") for name in ("negative", "as_is")]
        if not set(switches) <= {"0", "1"}:
            raise HTTPException(400, "negative, as_is: 0 or 1")
        page = options.get("page", "0")
        if not re.fullmatch("[0-9]{1,4}", page, re.ASCII):
            raise HTTPException(400, "page: a whole number from 0 to 9999")
        source = folder / photograph(options.get("suffix", ""))
        with source.open("wb") as file:
            async for part in self._turns.body(request):
                file.write(part)
        return _Asked(source, int(page), *(switch == "1" for switch in switches))

    def _make(self, asked: _Asked, folder: Path) -> Kept:
        pages = count_pages(asked.source)
        page = asked.page if pages > 1 else 0
        kind, _ = self._turns.limits.check(asked.source, page)
        photo = read_photo(asked.source, self._colorizer.threads, page)
        photo = invert(photo) if asked.negative else photo
        draft = Draft(self._colorizer.model, photo, self._colorizer.size, self._colorizer.threads, asked.as_is)
        own = self._colorizer.model.temperature
        temperatures = _temperatures(draft, own)
        suffix = SUFFIXES.get(kind, ".png")
        return Kept(draft, temperatures, temperatures.index(own), suffix, pages, _opacity(draft))


def _temperatures(draft: Draft, own: float) -> tuple[float, ...]:
    """Those of a draft: upwards or downwards, whichever is more colourful. That depends on what the network was trained
    by: with rare colours weighted up, its likeliest colours are bolder than their mean; else they are greyer."""
    low, high = (sum(float(np.hypot(*ab).mean()) for ab in draft.ab(own * 2**octave)) for octave in (-1, 1))
    temperatures = tuple(own * 2.0**octave for octave in OCTAVES)
    return temperatures if high > low else temperatures[::-1]


def _opacity(draft: Draft) -> Plane | None:
    alpha = draft.photo.alpha
    if alpha is None:
        return None
    opacity: Plane = np.asarray(Image.fromarray(alpha).reduce(draft.factor), np.float32) / np.float32(255)
    return opacity


def _merged(draft: Draft, choices: Choices) -> Merge:
    ab = draft.ab(choices.temperature, choices.hints, choices.alternative)
    return draft.picture(ab, choices.saturation)


def _grey(photo: Photo) -> bytes:
    levels = np.rint(255 * np.asarray(lightness_to_grey(photo.lightness))).clip(0, 255).astype(np.uint8)
    picture: NDArray[Any] = levels[photo.codes]
    if photo.alpha is not None:
        white = np.uint16(255)
        picture = ((picture * photo.alpha.astype(np.uint16) + (white - photo.alpha) * white) // white).astype(np.uint8)
    return _jpeg(Image.fromarray(picture).reduce(-(-max(picture.shape) // _LONGEST_SIDE)), 98)


def _small(kept: Kept, choices: Choices) -> bytes:
    """A JPEG of about `_THUMBNAIL` pixels; what is transparent is white."""
    draft = kept.draft
    step = max(1, max(draft.guide.shape) // _THUMBNAIL)
    slope, offset = kept.coefficients(draft.ab(choices.temperature, choices.hints, choices.alternative))
    white = np.float32(100)
    lightness = draft.guide if kept.opacity is None else white - kept.opacity * (white - draft.guide)
    codes = np.rint(lightness[::step, ::step] * np.float32(655.35)).clip(0, 65535).astype(np.uint16)
    photo = Photo(np.ascontiguousarray(codes), even_lightness(65536))
    merge = Merge(photo, slope[:, ::step, ::step], offset[:, ::step, ::step], 1, choices.saturation)
    return _jpeg(to_image(merge.pixels(), False).convert("RGB"), 85)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _at(plane: Plane, y: float, x: float) -> float:
    height, width = plane.shape
    return float(plane[min(int(y * height), height - 1), min(int(x * width), width - 1)])


def _rgb(lightness: float, a: float, b: float) -> list[int]:
    """A colour as a screen shows it, of three bytes."""
    rgb = np.asarray(lab_to_rgb(np.array([lightness, a, b], np.float32), axis=0))
    return [int(level) for level in np.rint(255 * rgb).clip(0, 255)]
