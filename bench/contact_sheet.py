"""A contact sheet of photographs and what a model makes of them, to look at.

    python bench/contact_sheet.py PHOTOGRAPHS sheet.jpg [--count 40] [--seed 0] [--true]

Photographs are drawn by a fixed seed, not by hand. Each is shown grey | colorized, with --true also as it was. Sheets
of other people's photographs are for looking, not for publishing.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from tintype import Colorizer

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--columns", type=int, default=4, help="photographs beside each other")
    parser.add_argument("--side", type=int, default=200, help="of each picture, in pixels")
    parser.add_argument("--true", action="store_true", help="show the photograph's own colours too")
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--temperature", type=float)
    parser.add_argument("--size", type=int)
    args = parser.parse_args()

    files = sorted(p for p in args.photographs.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        raise SystemExit(f"{args.photographs}: no photographs")
    chosen = np.random.default_rng(args.seed).permutation(len(files))[: args.count]
    colorize = Colorizer(args.model, size=args.size)
    shown = 3 if args.true else 2
    rows = -(-len(chosen) // args.columns)
    sheet = Image.new("RGB", (args.columns * (shown * args.side + 8), rows * (args.side + 4)), "white")
    for n, i in enumerate(tqdm(chosen, disable=None)):
        with Image.open(files[i]) as photo:
            true = photo.convert("RGB")
        grey = true.convert("L")
        pictures = [grey.convert("RGB"), colorize(grey, temperature=args.temperature), true][:shown]
        left, top = n % args.columns * (shown * args.side + 8), n // args.columns * (args.side + 4)
        for k, picture in enumerate(pictures):
            picture.thumbnail((args.side, args.side))
            sheet.paste(picture, (left + k * args.side, top))
    sheet.save(args.out, quality=90)


if __name__ == "__main__":
    main()
