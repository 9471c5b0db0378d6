"""Colorizing a photograph, from a file or memory to a file or memory."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.runtime.errors import PhotoError
from tintype.runtime.layout import Layout, lay_out
from tintype.runtime.merge import Merge
from tintype.runtime.model import Model, load_model
from tintype.runtime.negative import invert
from tintype.runtime.photo import Photo, photo_from_array
from tintype.runtime.predict import Prediction, predict
from tintype.runtime.read import count_pages, photo_from_image, read_photo
from tintype.runtime.reduce import guide_of
from tintype.runtime.strips import cores
from tintype.runtime.write import check_depth, format_for, to_image, write_photo

if TYPE_CHECKING:
    from tintype.runtime.pages import Page


class Colorizer:
    """Colorizes photographs with one model. Several threads may share it.

    Args:
        model: a name ("bundled"), the path of an .onnx bundle, or `owner/name` or `owner/name@revision` on the Hugging
            Face Hub, which is fetched once (see `tintype.runtime.hub`).
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
        self,
        photo: str | Path | Image.Image | NDArray[Any],
        *,
        temperature: float | None = None,
        negative: bool = False,
        as_is: bool = False,
    ) -> Prediction:
        """Predicts colour, at the network's resolution. A scan's border is grey and certain in it.

        Args and errors as in `__call__`.
        """
        layout, found = self._predict(self._read(photo, negative), temperature, as_is)
        ab, entropy = (layout.shared(planes) for planes in ([one.ab for one in found], [one.entropy for one in found]))
        return Prediction(layout.whole(ab), layout.whole(entropy))

    def __call__(
        self,
        photo: str | Path | Image.Image | NDArray[Any],
        *,
        temperature: float | None = None,
        saturation: float = 1.0,
        negative: bool = False,
        as_is: bool = False,
    ) -> Image.Image:
        """Colorizes a photograph.

        Its lightness stays as it is, at full resolution. Where it has colours, they are replaced.

        Args:
            photo: a path; a Pillow image; or an array, (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), of uint8, uint16 or
                floats in [0, 1], in sRGB.
            temperature: below 1, closer to the likeliest colours and bolder; the model's own where None.
            saturation: multiplies ab; 0 gives grey.
            negative: whether it is a negative, to be made a positive first.
            as_is: whether to look for nothing. Else a scan's border stays grey, the views of a stereo card share
                their colours, and the network is shown a faded or screened picture as it may have been.

        Returns:
            RGB, or RGBA where something is transparent; sRGB, of the photograph's size, upright.

        Raises:
            PhotoError: it cannot be read; see `read_photo`.
            OSError: the file cannot be opened.
            ValueError: temperature not above 0, or saturation below 0.
        """
        source = self._read(photo, negative)
        picture = self._colorize(source, temperature, saturation, as_is)
        image = to_image(picture.pixels(self.threads), source.alpha is not None)
        return image if image.mode == "RGBA" else image.convert("RGB")

    def colorize_file(
        self,
        source: str | Path,
        target: str | Path,
        *,
        temperature: float | None = None,
        saturation: float = 1.0,
        negative: bool = False,
        as_is: bool = False,
        depth: int = 8,
        overwrite: bool = False,
    ) -> list[str]:
        """Colorizes a file into another, whose suffix says the format: .jpg, .png, .tif, .webp, .bmp.

        EXIF, XMP and resolution are kept, alpha where the format has it. The target appears when it is complete; when
        anything goes wrong, nothing is left behind. A TIFF file of several pages becomes another one, or in a format
        without pages several files: NAME-1.png and so on, of which those that are there are kept.

        Args:
            source, target: paths. The folder of the target must be there.
            temperature, saturation, negative, as_is: see `__call__`.
            depth: bits a channel, 8 or 16; 16 in PNG and TIFF only.
            overwrite: whether a target that is there already is replaced. The source itself never is.

        Returns:
            Remarks for whoever looks at the result, in a line each; most often none.

        Raises:
            PhotoError: the source cannot be read, or the target is not of a format that can be written, or has no
                16 bits.
            FileExistsError: the target is there already.
            OSError: the source cannot be opened, or the target not be written; `filename` says which.
            ValueError: as in `__call__`; or depth is neither 8 nor 16.
        """
        target = Path(target)
        check_depth(target, depth)
        check_target(source, target, overwrite)
        number = count_pages(source)
        remarks: list[str] = []

        def pages() -> "Iterator[Page]":
            from tintype.runtime.pages import Page

            for page in range(number):
                photo = read_photo(source, self.threads, page)
                photo = invert(photo) if negative else photo
                yield Page(
                    self._colorize(photo, temperature, saturation, as_is), photo.alpha is not None, photo.metadata
                )

        if number == 1:
            photo = self._read(source, negative)
            if photo.orange and not negative:
                remarks.append(f"{source}: looks like a colour negative; if it is one, make it again with --negative")
            picture = self._colorize(photo, temperature, saturation, as_is)
            write_photo(picture, photo.alpha is not None, photo.metadata, target, overwrite, self.threads, depth)
        elif format_for(target) == "TIFF":
            from tintype.runtime.pages import write_pages

            write_pages(pages, target, overwrite, self.threads, depth)
        else:
            names = [target.with_stem(f"{target.stem}-{page + 1:0{len(str(number))}}") for page in range(number)]
            for name, page in zip(names, pages(), strict=True):
                if overwrite or not os.path.lexists(name):
                    check_target(source, name, overwrite)
                    write_photo(page.picture, page.alpha, page.metadata, name, overwrite, self.threads, depth)
            remarks.append(f"{source}: has {number} pages, which are in {names[0]} to {names[-1].name}")
        return remarks

    def _read(self, photo: str | Path | Image.Image | NDArray[Any], negative: bool) -> Photo:
        if isinstance(photo, str | os.PathLike):
            read = read_photo(photo, self.threads)
        elif isinstance(photo, Image.Image):
            read = photo_from_image(photo, self.threads)
        elif isinstance(photo, np.ndarray):
            read = photo_from_array(photo)
        else:
            kind = type(photo).__name__
            raise TypeError(f"a photograph must be a path, a Pillow image or a numpy array, not {kind}")
        return invert(read) if negative else read

    def _predict(self, photo: Photo, temperature: float | None, as_is: bool) -> tuple[Layout, list[Prediction]]:
        """A photograph's layout, and the prediction for each of its regions."""
        if temperature is not None and not temperature > 0:
            raise ValueError(f"temperature is {temperature}; it must be above 0")
        layout = lay_out(self.model, guide_of(photo, self.size, self.threads), self.size, as_is)
        return layout, [predict(self.model, region, temperature) for region in layout.regions]

    def _colorize(self, photo: Photo, temperature: float | None, saturation: float, as_is: bool) -> Merge:
        if not saturation >= 0:
            raise ValueError(f"saturation is {saturation}; it must be at least 0")
        layout, found = self._predict(photo, temperature, as_is)
        ab = layout.shared([one.ab for one in found])
        return Merge(photo, *layout.upsampler(self.threads)(ab), layout.guide.factor, saturation)


def check_target(source: str | Path, target: Path, overwrite: bool, what: str = "photograph") -> None:
    """Raises where a target is its own source (PhotoError), or is there and not to be replaced (FileExistsError)."""
    if os.path.lexists(target):
        if os.path.exists(target) and os.path.samefile(source, target):
            raise PhotoError(f"{target}: is the {what} itself, which is never replaced; give another name")
        if not overwrite:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
