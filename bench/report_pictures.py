"""Make the pictures of an evaluation's report in docs/pictures: on a desktop, and on a phone.

    python bench/report_pictures.py --keep report.html

The photographs come from packages that ship freely licensed ones: scikit-image (astronaut: NASA, public domain; cat and
coffee: CC0; rocket: SpaceX, public domain) and scikit-learn (palace by danielbuechele, CC BY 2.0; flower by
vultilion, CC BY 2.0). Six photographs are far too few to measure a model with: this is to see the page.

Needs Playwright and a Chromium.
"""

import argparse
import io
import tempfile
from pathlib import Path

import skimage.data
from PIL import Image
from playwright.sync_api import sync_playwright
from sklearn.datasets import load_sample_image

from tintype import Colorizer
from tintype.evaluate import Options, run
from tintype.evaluate.report import report

SIDE = 320
SCREENS = {"desktop": (1280, 1560, 0.6), "phone": (375, 940, 1.0)}  # width, height, and how large it is shown
PARTS = {
    "desktop": ("body", "#curves"),
    "phone": ("body", "#figures", "#curves", "#gallery"),
}  # at the top of each screen
LABELS = {"cat.png": "281", "coffee.png": "967", "palace.png": "698", "rocket.png": "657"}  # of ImageNet's classes
COLOURS = 256  # of the PNGs, which are half as large so
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--no-first-run"]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--keep", type=Path, help="write the page itself here, too")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as place:
        page = make_page(Path(place), args.model)
    if args.keep:
        args.keep.write_text(page, encoding="utf-8")
    args.out.mkdir(parents=True, exist_ok=True)
    for name, pixels in screenshots(page, args.chromium).items():
        target = args.out / f"report-{name}.png"
        pixels.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(target, optimize=True)
        print(f"{target}: {target.stat().st_size / 1000:.0f} kB; the page has {len(page) / 1e6:.2f} MB")


def make_page(place: Path, model: str) -> str:
    """The report of a model, and of the same model's pictures with half of their colour, as another program's."""
    photographs = {
        "astronaut": skimage.data.astronaut(),
        "cat": skimage.data.chelsea(),
        "coffee": skimage.data.coffee(),
        "flower": load_sample_image("flower.jpg"),
        "palace": load_sample_image("china.jpg"),
        "rocket": skimage.data.rocket(),
    }
    true, paler = place / "true", place / "paler"
    true.mkdir()
    paler.mkdir()
    colorize = Colorizer(model)
    for name, pixels in photographs.items():
        picture = Image.fromarray(pixels)
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        picture.save(true / f"{name}.png")
        colorize(picture.convert("L"), saturation=0.5).save(paler / f"{name}.png")
    labels = place / "labels.csv"
    labels.write_text("".join(f"{name},{label}\n" for name, label in LABELS.items()))
    done = run(true, Options(models=(model,), pictures={"paler": paler}, labels=labels))
    return report(done.result, done.picture)


def screenshots(page: str, chromium: str) -> dict[str, Image.Image]:
    """Screens full of the page side by side, by the kind of screen."""
    pictures = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        for name, (width, height, scale) in SCREENS.items():
            tab = browser.new_page(viewport={"width": width, "height": height})
            tab.set_content(page)
            parts = []
            for part in PARTS[name]:
                tab.evaluate("part => document.querySelector(part).scrollIntoView()", part)
                parts.append(Image.open(io.BytesIO(tab.screenshot())).convert("RGB"))
            pictures[name] = beside(parts, scale)
        browser.close()
    return pictures


def beside(parts: list[Image.Image], scale: float, gap: int = 12) -> Image.Image:
    """Pictures of one size in a row."""
    width, height = (round(scale * side) for side in parts[0].size)
    row = Image.new("RGB", (len(parts) * (width + gap) - gap, height), "#8a5a1e")
    for number, part in enumerate(parts):
        row.paste(part.resize((width, height), Image.Resampling.LANCZOS), (number * (width + gap), 0))
    return row


if __name__ == "__main__":
    main()
