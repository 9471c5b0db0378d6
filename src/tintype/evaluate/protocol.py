"""Which photographs count, and to what size they are brought, before anything is measured: the presets."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SIDE = 256  # of the square presets


@dataclass(frozen=True)
class Preset:
    """One protocol.

    Attributes:
        rule: the resize and crop rule, for people.
        square: whether pictures are resized to 256×256.
        images: how many photographs the protocol has; None for any number.
        listed: whether these are named by a list that its authors published.
    """

    rule: str
    square: bool
    images: int | None = None
    listed: bool = False


_SQUARE = "resized to 256 x 256 (bicubic, antialiased; aspect ratio not kept), nothing cropped"
PRESETS = {
    "own-size": Preset("none: pictures are compared at the photograph's own size", square=False),
    "square256": Preset(_SQUARE, square=True),
    "ctest10k": Preset(_SQUARE, square=True, images=10_000, listed=True),
    "val5k": Preset(_SQUARE, square=True, images=5_000),
    "val50k": Preset(_SQUARE, square=True, images=50_000),
}


def select(paths: Sequence[Path], preset: Preset, names: Path | None = None) -> list[Path]:
    """The photographs of a protocol among those of a folder, in the order of their file names.

    `val5k` means the first 5,000 of ImageNet's validation photographs by file name, `val50k` all; `ctest10k` those that
    Larsson et al. published a list of.

    Args:
        paths: what there is.
        preset: the protocol.
        names: a text file with one file name (or path, of which the name counts) to a line; suffixes may be left out,
            and a label may follow.

    Raises:
        ValueError: photographs are missing, or two have the name that is asked for.
    """
    if preset.listed and names is None:
        raise ValueError("this protocol's photographs are named by its authors' list: give it with --list FILE")
    chosen = sorted(paths, key=lambda path: (path.name, path)) if preset.images else list(paths)
    if names is not None:
        chosen = _named(chosen, names)
    if preset.images is None:
        return chosen
    if len(chosen) < preset.images:
        raise ValueError(f"this protocol has {preset.images:,} photographs; there are {len(chosen):,}")
    return chosen[: preset.images]


def _named(paths: Sequence[Path], names: Path) -> list[Path]:
    try:
        wanted = [line.strip() for line in names.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{names}: cannot be read as a list of file names") from error
    if not wanted:
        raise ValueError(f"{names}: names no photographs")
    found: dict[str, list[Path]] = {}
    for path in paths:
        for name in {path.name, path.stem}:
            found.setdefault(name, []).append(path)
    chosen: list[Path] = []
    for line in wanted:
        whole, first = Path(line), Path(line.split()[0])  # a label may follow the name, as in Caffe's lists
        name = next((n for n in (whole.name, whole.stem, first.name, first.stem) if n in found), first.name)
        match = found.get(name, [])
        if len(match) != 1:
            what = "is not in the folder" if not match else f"is there {len(match)} times"
            raise ValueError(f"{names}: {name} {what}")
        chosen.append(match[0])
    return list(dict.fromkeys(chosen))
