"""Make the README's before/after pictures with the bundled model.

    python bench/readme_pictures.py

They come from packages that ship freely licensed photographs: scikit-image (astronaut: NASA, public domain; cat and
coffee: CC0; rocket: SpaceX, public domain) and scikit-learn (palace by danielbuechele, CC BY 2.0; flower by
vultilion, CC BY 2.0). Nothing is chosen by how well it came out: these are all of that kind in both packages.
"""

import argparse
from pathlib import Path

from PIL import Image

from _photograph import free_photographs
from tintype import Colorizer

HEIGHT = 260


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--model", default="bundled")
    args = parser.parse_args()

    photographs = free_photographs()
    colorize = Colorizer(args.model)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, pixels in photographs.items():
        true = Image.fromarray(pixels)
        grey = true.convert("L")
        pictures = [grey.convert("RGB"), colorize(grey), true]
        width = round(true.width * HEIGHT / true.height)
        strip = Image.new("RGB", (3 * width + 12, HEIGHT), "white")
        for k, picture in enumerate(pictures):
            strip.paste(picture.resize((width, HEIGHT), Image.Resampling.LANCZOS), (k * (width + 6), 0))
        strip.save(args.out / f"{name}.jpg", quality=88)
        print(f"{name}: grey | {args.model} | true -> {args.out / f'{name}.jpg'}")


if __name__ == "__main__":
    main()
