"""Colorizing a photograph, from a file or memory to a file or memory."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.runtime.errors import PhotoError
from tintype.runtime.merge import Merge
from tintype.runtime.model import Model, load_model
from tintype.runtime.photo import Photo, photo_from_array
from tintype.runtime.predict import Prediction, network_size, predict
from tintype.runtime.read import photo_from_image, read_photo
from tintype.runtime.reduce import reduce_lightness, reduction
from tintype.runtime.strips import cores
from tintype.runtime.upsample import upsample
from tintype.runtime.write import format_for, to_image, write_photo

_GUIDE = 2  # pixels of the guide, along a side, for one pixel of what the network sees


class Colorizer:
    """Colorizes photographs with one model. Several threads may share it.

    Args:
        model: a name ("bundled") or the path of an .onnx bundle.
        size: side in pixels of the square as large as what the network sees; the model's own where None. Larger finds
            smaller things, and loses sight of large ones.
        threads: to use for one photograph; all available cores where None.

    Raises:
        ModelError: there is no such model, or it is not a tintype bundle.
        ValueError: size or threads below 1.
    """

    model: Model
    threads: int
    size: int

    def __init__(self, model: str | Path = "bundled", *, size: int | None = None, threads: int | None = None):
        for name, value in (("size", size), ("threads", threads)):
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        self.threads = threads or cores()
        self.model = load_model(model, self.threads)
        self.size = size or self.model.input_size

    def predict(
        self, photo: str | Path | Image.Image | NDArray[Any], *, temperature: float | None = None
    ) -> Prediction:
        """Predicts colour, at the network's resolution.

        Args and errors as in `__call__`.
        """
        return self._predict(self._read(photo), temperature)[0]

    def __call__(
        self,
        photo: str | Path | Image.Image | NDArray[Any],
        *,
        temperature: float | None = None,
        saturation: float = 1.0,
    ) -> Image.Image:
        """Colorizes a photograph.

        Its lightness stays as it is, at full resolution. Where it has colours, they are replaced.

        Args:
            photo: a path; a Pillow image; or an array, (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), of uint8, uint16 or
                floats in [0, 1], in sRGB.
            temperature: below 1, closer to the likeliest colours and bolder; the model's own where None.
            saturation: multiplies ab; 0 gives grey.

        Returns:
            RGB, or RGBA where something is transparent; sRGB, of the photograph's size, upright.

        Raises:
            PhotoError: it cannot be read; see `read_photo`.
            OSError: the file cannot be opened.
            ValueError: temperature not above 0, or saturation below 0.
        """
        source = self._read(photo)
        picture = self._colorize(source, temperature, saturation)
        image = to_image(picture.pixels(self.threads), source.alpha is not None)
        return image if image.mode == "RGBA" else image.convert("RGB")

    def colorize_file(
        self,
        source: str | Path,
        target: str | Path,
        *,
        temperature: float | None = None,
        saturation: float = 1.0,
        overwrite: bool = False,
    ) -> None:
        """Colorizes a file into another, whose suffix says the format: .jpg, .png, .tif, .webp, .bmp.

        EXIF, XMP and resolution are kept, alpha where the format has it. The target appears when it is complete; when
        anything goes wrong, nothing is left behind.

        Args:
            source, target: paths. The folder of the target must be there.
            temperature, saturation: see `__call__`.
            overwrite: whether a target that is there already is replaced. The source itself never is.

        Raises:
            PhotoError: the source cannot be read, or the target is not of a format that can be written.
            FileExistsError: the target is there already.
            OSError: the source cannot be opened, or the target not be written; `filename` says which.
            ValueError: as in `__call__`.
        """
        target = Path(target)
        format_for(target)
        if os.path.lexists(target):
            if os.path.exists(target) and os.path.samefile(source, target):
                raise PhotoError(f"{target}: is the photograph itself, which is never replaced; give another name")
            if not overwrite:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        photo = self._read(source)
        picture = self._colorize(photo, temperature, saturation)
        write_photo(picture, photo.alpha is not None, photo.metadata, target, overwrite, self.threads)

    def _read(self, photo: str | Path | Image.Image | NDArray[Any]) -> Photo:
        if isinstance(photo, str | os.PathLike):
            return read_photo(photo, self.threads)
        if isinstance(photo, Image.Image):
            return photo_from_image(photo, self.threads)
        if isinstance(photo, np.ndarray):
            return photo_from_array(photo)
        raise TypeError(f"a photograph must be a path, a Pillow image or a numpy array, not {type(photo).__name__}")

    def _predict(self, photo: Photo, temperature: float | None) -> tuple[Prediction, NDArray[np.float32], int]:
        """The prediction, and the guide with the factor that it is reduced by."""
        if temperature is not None and not temperature > 0:
            raise ValueError(f"temperature is {temperature}; it must be above 0")
        height, width = photo.codes.shape
        factor = reduction(height, width, _GUIDE * self.size)
        guide = reduce_lightness(photo, factor, self.threads)
        size = network_size(height, width, self.size, self.model.multiple)
        extent = height / factor, width / factor
        return predict(self.model, guide, extent, size, temperature), guide, factor

    def _colorize(self, photo: Photo, temperature: float | None, saturation: float) -> Merge:
        if not saturation >= 0:
            raise ValueError(f"saturation is {saturation}; it must be at least 0")
        prediction, guide, factor = self._predict(photo, temperature)
        height, width = photo.codes.shape
        extent = height / factor, width / factor
        seen = network_size(height, width, self.size, self.model.multiple)
        scale = extent[0] / seen[0], extent[1] / seen[1]  # pixels of the guide to one of the network's input
        origin = self.model.ab_origin * scale[0], self.model.ab_origin * scale[1]
        stride = self.model.stride * scale[0], self.model.stride * scale[1]
        slope, offset = upsample(prediction.ab, guide, extent, origin, stride, self.threads)
        return Merge(photo, slope, offset, factor, saturation)
