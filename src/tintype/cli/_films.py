"""Films among the photographs of `tintype colorize`."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from tintype.cli._options import how_to_install
from tintype.runtime.formats import is_film
from tintype.runtime.settings import Colorize, Settings
from tintype.runtime.strips import cores

if TYPE_CHECKING:
    from tintype.runtime import Colorizer

Film = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]  # a film's name: told of each frame


def with_films(colorize: Colorize, settings: Settings, stop: Event, film: Film) -> Colorize:
    """What makes colour versions of photographs, and of films in this process.

    Args:
        colorize: of photographs.
        settings: of both; films take nothing of negatives, borders and depth.
        stop: breaks a film off, once it is set.
        film: as of `Report.film`.
    """

    @cache
    def colorizer() -> "Colorizer":
        from tintype.runtime import Colorizer

        return Colorizer(settings.model, size=settings.size, threads=cores())

    def one(source: Path, target: Path) -> Sequence[str] | None:
        if not is_film(str(source)):
            return colorize(source, target)
        try:
            from tintype.video.colorize import colorize_film
        except ModuleNotFoundError as error:
            if error.name != "av":
                raise
            raise ValueError(f"{source}: films need PyAV, which is not installed. {how_to_install('video')}") from None
        with film(str(source)) as progress:
            colorize_film(
                colorizer(),
                source,
                target,
                temperature=settings.temperature,
                saturation=settings.saturation,
                overwrite=settings.overwrite,
                every=settings.every,
                stopped=stop.is_set,
                progress=progress,
            )
        return None

    return one
