"""How quickly the page of `tintype serve` answers: the first picture after a drop, the sliders, a hint.

    python bench/page_speed.py

A photograph that comes with scikit-image, in grey and enlarged to 12 and 40 megapixels, with grain, is given to the
page in Chromium, which here paints without a graphics card: with one, the sliders are quicker. All times are the page's
own, to the moment when the canvas is painted.
"""

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from _machine import describe
from _page import DESKTOP, chromium, click_at, marks, until
from _photograph import save_photograph
from _served import served

SIZES = {"12 megapixels": (4000, 3000), "40 megapixels": (7300, 5480)}
TIMES = 15
SLIDE = """([id, value]) => {
  const slider = document.getElementById(id), gl = document.getElementById("canvas").getContext("webgl2");
  const start = performance.now();
  slider.value = value;
  slider.dispatchEvent(new Event("input"));
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits until it is painted
  return performance.now() - start;
}"""


def first(page: Page, file: Path) -> float:
    """Seconds from the choice of a file to its colours on the canvas."""
    page.evaluate(
        """document.getElementById("add").addEventListener("change", () => performance.mark("given"), true)"""
    )
    before = len(marks(page, "shown"))
    page.set_input_files("#add", str(file))
    until(page, lambda: len(marks(page, "shown")) > before)
    return (marks(page, "shown")[-1] - marks(page, "given")[-1]) / 1000


def sliding(page: Page, name: str) -> list[float]:
    """Milliseconds from moving a slider to the painted canvas."""
    low, high = (float(page.get_attribute(f"#{name}", end) or 0) for end in ("min", "max"))
    return [page.evaluate(SLIDE, [name, low + (high - low) * i / (TIMES - 1)]) for i in range(TIMES)]


def hinting(page: Page) -> list[float]:
    """Milliseconds from choosing a colour to the canvas with it, painted."""
    times = []
    for i in range(TIMES):
        click_at(page, 0.3 + 0.4 * i / TIMES, 0.3 + 0.4 * (i % 3) / 2)
        before = len(marks(page, "refreshed"))
        page.locator("#swatches button").first.click()
        until(page, lambda before=before: len(marks(page, "refreshed")) > before)
        times.append(marks(page, "refreshed")[-1] - marks(page, "hinted")[-1])
    return times


def main() -> None:
    print(describe("tintype", "onnxruntime", "playwright"))
    print("without a graphics card; milliseconds: median (largest)\n")
    print(f"{'':15}{'first picture':>15}{'vividness':>14}{'saturation':>14}{'hint':>14}")
    with tempfile.TemporaryDirectory() as folder, served() as address, chromium() as browser:
        for name, size in SIZES.items():
            file = Path(folder, f"{size[0]}.jpg")
            save_photograph(file, *size, "L")
            page = browser.new_context(**DESKTOP).new_page()
            page.goto(address)
            shown = first(page, file)
            page.wait_for_selector("#alternatives img")
            cells = (
                f"{statistics.median(times):.0f} ({max(times):.0f})"
                for times in (sliding(page, "vividness"), sliding(page, "saturation"), hinting(page))
            )
            print(f"{name:15}{shown:>13.2f} s" + "".join(f"{cell:>14}" for cell in cells), flush=True)
            page.close()


if __name__ == "__main__":
    main()
