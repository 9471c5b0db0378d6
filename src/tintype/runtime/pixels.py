"""From a loaded Pillow image of any mode to lightness codes and alpha, in tiles."""

import io
from collections.abc import Callable, Iterator
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.color import lab_to_rgb
from tintype.runtime.buffers import Buffers, Codes, Plane
from tintype.runtime.curves import grey_curve
from tintype.runtime.errors import PhotoError
from tintype.runtime.icc import lightness_profile, srgb_profile
from tintype.runtime.photo import code_rgb, even_lightness, grey_lightness
from tintype.runtime.strips import share, spans

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

_GREY = {"1", "L", "LA", "La"}
_ALPHA = {"LA", "La", "PA", "RGBA", "RGBa"}
_TILE = 1 << 16  # pixels
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262  # TIFF tags
_NO_OPTIMIZATION = 0x0100  # LittleCMS: full precision, at a cost that does not count for a table

Box = tuple[int, int, int, int]
Alpha = NDArray[np.uint8]


def read_pixels(image: Image.Image, threads: int = 1) -> tuple[Codes, Plane, Alpha | None]:
    """Lightness and alpha of a loaded image, as its colour profile has them.

    Returns:
        codes (H, W) uint8 or uint16; CIE L of each code; alpha (H, W) uint8, or None where all is opaque.

    Raises:
        PhotoError: floating-point pixels, or 32-bit pixels above 65535.
    """
    if image.mode == "F":
        raise PhotoError("has floating-point pixels; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        return _read_16_bit(image)
    if image.mode == "LAB":
        return np.asarray(image.getchannel("L")), even_lightness(256), None
    if image.mode in _GREY:
        return _read_grey(image)
    return _read_colour(image, threads)


def read_rgb_pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Colours of a loaded image, as its colour profile has them: (H, W, 3) 8-bit sRGB, alpha left away.

    Raises:
        PhotoError: as `read_pixels`; or Lab pixels, of which only the lightness is read.
    """
    if image.mode == "LAB":
        raise PhotoError("has Lab pixels; save it as RGB")
    if image.mode in _GREY or image.mode.startswith(("I", "F")):
        codes, lightness, _ = read_pixels(image)
        neutral = lab_to_rgb(np.stack([lightness, 0 * lightness, 0 * lightness]), axis=0)[1]
        grey: NDArray[np.uint8] = np.rint(255 * neutral).astype(np.uint8)[codes]
        return np.repeat(grey[..., None], 3, axis=-1)
    to_srgb = _to_srgb(image)
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    for y0, y1 in spans(height, max(1, _TILE // width)):
        part = image.crop((0, y0, width, y1))
        pixels[y0:y1] = np.asarray(to_srgb(part.convert("RGBA") if _has_alpha(image) else part))[..., :3]
    return pixels


def _read_16_bit(image: Image.Image) -> tuple[Codes, Plane, Alpha | None]:
    values = np.asarray(image)
    if image.mode == "I" and (values.min() < 0 or values.max() > 65535):
        raise PhotoError("has 32-bit pixels; save it with 8 or 16 bits")
    codes = values.astype(np.uint16)
    key = image.info.get("transparency")
    alpha = None
    if isinstance(key, int) and (codes == key).any():
        alpha = np.where(codes == key, np.uint8(0), np.uint8(255))
    tags = getattr(image, "tag_v2", {})
    if tags.get(_PHOTOMETRIC) == 0:  # white is zero: Pillow turns such 8-bit files over, but not 16-bit ones
        np.subtract(65535, codes, out=codes)
    lightness = _profile_lightness(image, 65536)
    if tags.get(_BITS_PER_SAMPLE) == (12,):
        lightness = np.resize(lightness[np.rint(np.arange(4096) * (65535 / 4095)).astype(int)], 65536)
    return codes, lightness, alpha


def _read_grey(image: Image.Image) -> tuple[Codes, Plane, Alpha | None]:
    lightness = _profile_lightness(image, 256)
    if not _has_alpha(image):
        return np.asarray(image if image.mode == "L" else image.convert("L")), lightness, None
    pixels = np.asarray(image if image.mode == "LA" else image.convert("LA"))
    return np.ascontiguousarray(pixels[..., 0]), lightness, _unless_opaque(np.ascontiguousarray(pixels[..., 1]))


def _read_colour(image: Image.Image, threads: int) -> tuple[Codes, Plane, Alpha | None]:
    width, height = image.size
    across = min(width, _TILE)
    tiles = [(x0, y0, x1, y1) for y0, y1 in spans(height, max(1, _TILE // across)) for x0, x1 in spans(width, across)]
    to_srgb = _to_srgb(image)
    alpha = np.empty((height, width), np.uint8) if _has_alpha(image) else None

    def channels(tile: Box) -> list[NDArray[np.uint8]]:
        part = image.crop(tile)
        if alpha is not None:
            part = part.convert("RGBA")
            alpha[tile[1] : tile[3], tile[0] : tile[2]] = np.asarray(part.getchannel("A"))
        return [np.asarray(channel) for channel in to_srgb(part).split()[:3]]

    codes = _grey_codes(channels, tiles, image.size, threads)
    if codes is not None:
        return codes, grey_lightness(256), _unless_opaque(alpha)
    wide = np.empty((height, width), np.uint16)

    def work(rest: Iterator[Box]) -> None:
        buffers = Buffers()
        for x0, y0, x1, y1 in rest:
            wide[y0:y1, x0:x1] = code_rgb(channels((x0, y0, x1, y1)), buffers)

    share(tiles, work, threads)
    return wide, even_lightness(65536), _unless_opaque(alpha)


def _grey_codes(
    channels: Callable[[Box], list[NDArray[np.uint8]]], tiles: list[Box], size: tuple[int, int], threads: int
) -> Codes | None:
    """The grey levels of a picture that is grey though it has three channels, as many scans are; else None."""
    codes = np.empty(size[::-1], np.uint8)
    coloured = Event()

    def work(rest: Iterator[Box]) -> None:
        for tile in rest:
            red, green, blue = channels(tile)
            if not (np.array_equal(red, green) and np.array_equal(blue, green)):
                coloured.set()
            if coloured.is_set():
                return
            codes[tile[1] : tile[3], tile[0] : tile[2]] = green

    share(tiles, work, threads)
    return None if coloured.is_set() else codes


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in _ALPHA or "transparency" in image.info


def _unless_opaque(alpha: Alpha | None) -> Alpha | None:
    return None if alpha is None or alpha.min() == 255 else alpha


def _profile_lightness(image: Image.Image, levels: int) -> Plane:
    """CIE L of each of 256 or 65536 grey levels, through the image's profile where it has one.

    Grey files often carry an RGB profile; then R = G = B is meant.
    """
    usual = grey_lightness(levels)
    profile = image.info.get("icc_profile")
    if not profile:
        return usual
    if (curve := grey_curve(profile, levels)) is not None:
        return curve
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.ImageCmsProfile(io.BytesIO(lightness_profile()))
        if source.profile.xcolor_space.strip() == "GRAY":
            ramp, mode = Image.fromarray(np.arange(65536, dtype=np.uint16)[None]), "I;16"
        else:
            ramp, mode = Image.merge("RGB", [Image.fromarray(np.arange(256, dtype=np.uint8)[None])] * 3), "RGB"
        flags = ImageCms.Flags(_NO_OPTIMIZATION)
        transform = ImageCms.buildTransform(source, target, mode, "I;16", flags=flags)
        lightness = np.asarray(transform.apply(ramp))[0] / np.float32(655.35)
    except (ImageCms.PyCMSError, OSError, ValueError):  # a damaged profile must not keep the photograph from being read
        return usual
    places = np.linspace(0, len(lightness) - 1, levels)
    return np.asarray(np.interp(places, np.arange(len(lightness)), lightness), dtype=np.float32)


def _to_srgb(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """What turns a tile into sRGB pixels: the image's profile, unless it makes no difference."""

    def plain(part: Image.Image) -> Image.Image:
        return part if part.mode in ("RGB", "RGBA") else part.convert("RGB")

    profile = image.info.get("icc_profile")
    if not profile:
        return plain
    from PIL import ImageCms

    mode = "CMYK" if image.mode == "CMYK" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
        if source.profile.xcolor_space.strip() != mode:
            return plain
        transform = ImageCms.buildTransform(source, target, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):  # as above
        return plain
    if mode == "RGB" and _is_identity(transform):
        return plain

    def through_profile(part: Image.Image) -> Image.Image:
        return transform.apply(part if part.mode == mode else part.convert(mode))

    return through_profile


def _is_identity(transform: "ImageCmsTransform") -> bool:
    """Whether a transform leaves 4096 colours within 1 of 255 as they are: most profiles are sRGB's."""
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3)
    after = np.asarray(transform.apply(Image.fromarray(colours)))
    return bool(np.abs(after.astype(np.int16) - colours).max() <= 1)
