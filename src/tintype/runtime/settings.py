"""How photographs of a run are colorized: what a worker, in another process or on another machine, needs to be told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tintype.runtime.formats import is_film

Colorize = Callable[[Path, Path], Sequence[str] | None]  # remarks, in a line each


@dataclass(frozen=True)
class Settings:
    """The options of a run; see `Colorizer`, `Colorizer.colorize_file` and, for `every`, `colorize_film`."""

    model: str = "bundled"
    size: int | None = None
    temperature: float | None = None
    saturation: float = 1.0
    overwrite: bool = False
    negative: bool = False
    as_is: bool = False
    depth: int = 8
    every: int = 1

    def load(self, threads: int) -> Colorize:
        """What makes one colour version, from source to target. Loads the model; raises as `Colorizer` does."""
        from tintype.runtime.colorizer import Colorizer
        from tintype.runtime.errors import PhotoError

        colorizer = Colorizer(self.model, size=self.size, threads=threads)

        def one(source: Path, target: Path) -> list[str]:
            if is_film(str(source)):
                raise PhotoError(f"{source}: films are colorized on one machine, without --engine ray")
            return colorizer.colorize_file(
                source,
                target,
                temperature=self.temperature,
                saturation=self.saturation,
                negative=self.negative,
                as_is=self.as_is,
                depth=self.depth,
                overwrite=self.overwrite,
            )

        return one
