"""Contact sheets of photographs and what models make of them, to look at.

    python bench/contact_sheet.py PHOTOGRAPHS sheet.jpg [--count 40] [--seed 0] [--rows 5] [--model X ...] [--true]

Photographs are drawn by a fixed seed, not by hand. Each is shown grey, then by each model, and with --true as it was,
under its number and name. Where --rows are not enough for all, there are sheet-1.jpg, sheet-2.jpg and so on. Sheets of
other people's photographs are for looking, not for publishing; PHOTOGRAPHS `free` are those of scikit-image and
scikit-learn, which are free to publish.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from _photograph import free_photographs
from tintype import Colorizer

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--columns", type=int, default=4, help="photographs beside each other")
    parser.add_argument("--rows", type=int, help="of a sheet [default: as many as there are]")
    parser.add_argument("--side", type=int, default=200, help="of each picture, in pixels")
    parser.add_argument("--true", action="store_true", help="show the photograph's own colours too")
    parser.add_argument("--model", action="append", help="repeat it to compare [default: bundled]")
    parser.add_argument("--temperature", type=float)
    parser.add_argument("--size", type=int)
    args = parser.parse_args()

    photographs = open_all(args.photographs)
    if not photographs:
        raise SystemExit(f"{args.photographs}: no photographs")
    names = list(photographs)
    chosen = [names[i] for i in np.random.default_rng(args.seed).permutation(len(names))[: args.count]]
    models = [Colorizer(name, size=args.size) for name in args.model or ["bundled"]]
    cells = []
    for number, name in enumerate(tqdm(chosen, disable=None), 1):
        true = photographs[name]()
        grey = true.convert("L")
        coloured = [colorize(grey, temperature=args.temperature) for colorize in models]
        cells.append(strip(f"{number} {name}", [grey.convert("RGB"), *coloured, *[true] * args.true], args.side))

    size = args.columns * (args.rows or len(cells))
    sheets = [cells[first : first + size] for first in range(0, len(cells), size)]
    for number, sheet in enumerate(sheets, 1):
        out = args.out if len(sheets) == 1 else args.out.with_stem(f"{args.out.stem}-{number}")
        table(sheet, args.columns).save(out, quality=90)
        print(out)


def open_all(place: Path) -> dict[str, Callable[[], Image.Image]]:
    """Photographs by name, in colour, each read when it is wanted."""
    if str(place) == "free":
        return {name: lambda pixels=pixels: Image.fromarray(pixels) for name, pixels in free_photographs().items()}

    def read(path: Path) -> Image.Image:
        with Image.open(path) as photo:
            return photo.convert("RGB")

    files = sorted(p for p in place.rglob("*") if p.suffix.lower() in SUFFIXES)
    return {str(file.relative_to(place).with_suffix("")): partial(read, file) for file in files}


def strip(title: str, pictures: list[Image.Image], side: int) -> Image.Image:
    """Pictures beside each other, each no larger than a square, under a title."""
    for picture in pictures:
        picture.thumbnail((side, side))
    cell = Image.new("RGB", (len(pictures) * side + 8, max(p.height for p in pictures) + 18), "white")
    ImageDraw.Draw(cell).text((2, 2), title, "black")
    for k, picture in enumerate(pictures):
        cell.paste(picture, (k * side, 14))
    return cell


def table(cells: list[Image.Image], columns: int) -> Image.Image:
    rows = [cells[first : first + columns] for first in range(0, len(cells), columns)]
    heights = [max(cell.height for cell in row) for row in rows]
    sheet = Image.new("RGB", (len(rows[0]) * cells[0].width, sum(heights)), "white")
    for n, row in enumerate(rows):
        for k, cell in enumerate(row):
            sheet.paste(cell, (k * cell.width, sum(heights[:n])))
    return sheet


if __name__ == "__main__":
    main()
