"""Ways to bring the network's cells to a photograph's pixels. Each gives what `Merge` joins with the lightness."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tintype.evaluate.colour_error import picture_ab
from tintype.runtime import upsample as tintype
from tintype.runtime.buffers import Plane
from tintype.runtime.layout import lay_out
from tintype.runtime.merge import Merge
from tintype.runtime.model import Model
from tintype.runtime.photo import Photo, photo_from_array
from tintype.runtime.reduce import guide_of
from tintype.runtime.region import Region

try:
    import cv2
    from cv2 import ximgproc
except ImportError:
    raise SystemExit("this compares with OpenCV's filters: pip install opencv-contrib-python-headless") from None

cv2.setNumThreads(1)


@dataclass(frozen=True)
class Scene:
    """A photograph, its guide, and where the network's cells lie on it; as `Colorizer` lays them.

    Attributes:
        photo: lightness at full resolution, (H, W).
        guide: the same at reduced resolution, (h, w).
        factor: pixels to one of the guide, along a side.
        region: all of it, as the network sees it; its extent, origin, stride and cells are the scene's.
    """

    photo: Photo
    guide: Plane
    factor: int
    region: Region

    @property
    def extent(self) -> tuple[float, float]:
        return self.region.extent

    @property
    def origin(self) -> tuple[float, float]:
        return self.region.origin

    @property
    def stride(self) -> tuple[float, float]:
        return self.region.stride

    @property
    def cells(self) -> tuple[int, int]:
        return self.region.cells

    @property
    def upsampler(self) -> tintype.Upsampler:
        """tintype's, made anew: what it does once is part of what it takes."""
        return tintype.Upsampler(self.guide, self.cells, self.extent, self.origin, self.stride)

    @cached_property
    def axes(self) -> list[tintype._Cells]:
        """Cells on the guide."""
        layout = zip(self.cells, self.origin, self.stride, self.extent, self.guide.shape, strict=True)
        return [tintype._Cells(*axis) for axis in layout]


def lay(grey: NDArray[np.uint8], model: Model, size: int) -> Scene:
    """Lays out a photograph.

    Args:
        grey: 8-bit, (H, W).
        model: whose cells they are.
        size: side of the square as large as what the network sees.
    """
    photo = photo_from_array(grey)
    guide = guide_of(photo, size)
    (region,) = lay_out(model, guide, size, as_is=True).regions
    return Scene(photo, guide.lightness, guide.factor, region)


def cell_means(ab: Plane, scene: Scene) -> Plane:
    """True colours (2, H, W) averaged over the network's cells: the best that a network could say."""
    layout = zip(scene.cells, scene.origin, scene.stride, ab.shape[1:], strict=True)
    axes = [tintype._Cells(n, scene.factor * at, scene.factor * step, long, long) for n, at, step, long in layout]
    return np.stack([tintype._cell_means(plane, axes) for plane in ab])


def guide_means(ab: Plane, scene: Scene) -> Plane:
    """(2, H, W) averaged over the blocks that are the guide's pixels."""
    axes = [
        tintype._Cells(n, scene.factor / 2, scene.factor, long, long)
        for n, long in zip(scene.guide.shape, ab.shape[1:], strict=True)
    ]
    return np.stack([tintype._cell_means(plane, axes) for plane in ab])


Joined = tuple[Plane, Plane, int]  # A and B of ab = A L + B, and pixels to one of theirs
Way = Callable[[Plane, Scene], Joined]  # from cells of ab, (2, h, w)


def merged(joined: Joined, scene: Scene) -> NDArray[np.uint8]:
    """The picture, (H, W, 3)."""
    pixels = Merge(scene.photo, *joined, saturation=1.0).pixels()
    return pixels.view(np.uint8).reshape(*pixels.shape, 4)[..., :3]


def plain(ab: Plane, scene: Scene) -> Joined:
    """Colours of the guide's pixels, taken as they are."""
    return np.zeros_like(ab), ab, scene.factor


def spline(order: int) -> Callable[[Plane, Scene], Plane]:
    """Splines through the centres of cells, at the guide's pixels: bilinear (1) or bicubic (3) interpolation."""

    def weights(axis: int, scene: Scene) -> Plane:
        count, step = scene.cells[axis], scene.stride[axis]
        start, shape = (0.5 - scene.origin[axis]) / step, (scene.guide.shape[axis], count)
        return ndimage.affine_transform(
            np.eye(count, dtype=np.float32), [1 / step, 1], [start, 0], shape, order=order, mode="nearest"
        )

    return lambda cells, scene: weights(0, scene) @ cells @ weights(1, scene).T


bilinear, bicubic = spline(1), spline(3)


def zhang16(cells: Plane, scene: Scene) -> Joined:
    """As the script of Zhang16's Caffe release: scipy's zoom as it comes, straight to full resolution.

    It lays the centres of the outermost cells on the centres of the outermost pixels, so that colours are shifted by up
    to half a cell. (There, cells fill the picture; here the last ones may reach beyond it, and are cut off.)
    """
    height, width = scene.photo.codes.shape
    down, across = (scene.factor * step for step in scene.stride)
    ab = np.stack([ndimage.zoom(plane, (down, across)) for plane in cells])
    missing = ((0, 0), (0, max(0, height - ab.shape[1])), (0, max(0, width - ab.shape[2])))
    ab = np.pad(ab, missing, mode="edge")[:, :height, :width]
    return np.zeros_like(ab), ab, 1


def joint_bilateral(contrast: float, nearness: float) -> Way:
    """OpenCV's joint bilateral filter on the bilinear colours.

    Args:
        contrast: standard deviation in L.
        nearness: standard deviation in cells.
    """

    def way(cells: Plane, scene: Scene) -> Joined:
        ab = np.stack([*bilinear(cells, scene), np.zeros_like(scene.guide)], axis=-1)  # OpenCV takes 1 or 3 channels
        deviation = nearness * sum(scene.stride) / 2
        diameter = 2 * round(2 * deviation) + 1
        filtered = ximgproc.jointBilateralFilter(scene.guide, ab, diameter, contrast, deviation)
        return plain(np.ascontiguousarray(np.moveaxis(filtered[..., :2], -1, 0)), scene)

    return way


def guided(radius: float, regularization: float) -> Way:
    """OpenCV's guided filter on the bilinear colours.

    Args:
        radius: in cells.
        regularization: epsilon, a variance of L.
    """

    def way(cells: Plane, scene: Scene) -> Joined:
        pixels = max(1, round(radius * sum(scene.stride) / 2))
        ab = [ximgproc.guidedFilter(scene.guide, plane, pixels, regularization) for plane in bilinear(cells, scene)]
        return plain(np.stack(ab), scene)

    return way


def _deviation(scene: Scene) -> float:
    return float(np.clip(tintype.CONTRAST * scene.guide.std(), tintype.FLATTEST, tintype.STEEPEST))


def two_steps(cells: Plane, scene: Scene) -> Joined:
    """tintype's without its last step: joint bilateral upsampling (Kopf et al. 2007) with back-projection."""
    return plain(scene.upsampler.colours(cells), scene)


def ours(cells: Plane, scene: Scene) -> Joined:
    return (*scene.upsampler(cells), scene.factor)


def corrected(cells: Plane, scene: Scene) -> Joined:
    """tintype's, and then what the means over cells still miss, added bilinearly."""
    slope, offset, factor = ours(cells, scene)
    reached = slope * scene.guide + offset
    missing = cells - np.stack([tintype._cell_means(plane, scene.axes) for plane in reached])
    return slope, offset + bilinear(missing, scene), factor


def calmed(cells: Plane, scene: Scene) -> Joined:
    """tintype's, of cells that a guided filter of 5 x 5 cells has averaged where their lightness is alike."""
    guide = tintype._cell_means(scene.guide, scene.axes)
    regularization = 2 * _deviation(scene) ** 2
    return ours(np.stack([ximgproc.guidedFilter(guide, plane, 2, regularization) for plane in cells]), scene)


def best(ways: dict[str, Way], scenes: list[tuple[Plane, Scene]]) -> tuple[str, Way]:
    """The way with the least root mean squared ab error on true colours (2, H, W), and its name."""

    def error(way: Way) -> float:
        return sum(
            float(np.square(picture_ab(merged(way(cell_means(ab, scene), scene), scene)) - ab).mean())
            for ab, scene in scenes
        )

    name = min(ways, key=lambda name: error(ways[name]))
    return name, ways[name]
