"""Make the screenshots of docs/study.md: the study's page and the report, on a desktop and on a phone.

    python bench/study_pictures.py

The photographs come from packages that ship freely licensed ones, as for README's pictures (docs/pictures/LICENSE.md).
The visitors of the report are simulated: its figures say nothing of the model. Needs chromium.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance
from playwright.sync_api import Browser, Page, sync_playwright

from _photograph import free_photographs
from tintype import Colorizer
from tintype.study import visit
from tintype.study.folder import read_study
from tintype.study.make import make_study
from tintype.study.report import write_report
from tintype.study.results import results
from tintype.study.storage import Storage

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 375, "height": 740}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
FOOLED = {"tintype": 0.34, "pale": 0.22}  # how often a simulated visitor is, on the average
TINTYPE = [sys.executable, "-c", "from tintype.cli import main; main()"]


def pictures(place: Path) -> tuple[Path, dict[str, Path]]:
    """Three squares of each photograph: in true colours, in the bundled model's, and in half the strength of those."""
    photographs = free_photographs()
    colorize = Colorizer("bundled")
    folders = {name: place / name for name in ("true", "tintype", "pale")}
    for folder in folders.values():
        folder.mkdir()
    for name, pixels in photographs.items():
        true = Image.fromarray(pixels)
        made = colorize(true.convert("L"))
        versions = {"true": true, "tintype": made, "pale": ImageEnhance.Color(made).enhance(0.5)}
        side = round(0.8 * min(true.size))
        for number, share in enumerate((0.0, 0.5, 1.0)):
            left, top = round(share * (true.width - side)), round((1 - share) * (true.height - side))
            for method, picture in versions.items():
                picture.crop((left, top, left + side, top + side)).save(folders[method] / f"{name}-{number + 1}.png")
    return folders["true"], {name: folders[name] for name in FOOLED}


def simulate(folder: Path, visitors: int) -> str:
    """The report after some visitors who never were."""
    study, storage, rng = read_study(folder), Storage(folder), np.random.default_rng(0)
    taste = dict(enumerate(rng.normal(0, 0.15, len(study.pictures))))
    for number in range(visitors):
        token, own = f"simulated {number}", rng.normal(0, 0.08)
        storage.write(visit.begin, study, token).result()
        hasty = number == 5
        while (here := storage.read(visit.where, study, token)).trial is not None:
            fooled = rng.random() < FOOLED[here.method] + taste[here.trial["picture"]] + own
            side = visit.LEFT if here.trial["fake_left"] != fooled else visit.RIGHT
            took = 120.0 if hasty else float(rng.gamma(3, 350) + 250)
            storage.write(visit.show, study, token, here.place, "once").result()
            if rng.random() < 0.01:
                storage.write(visit.show, study, token, here.place, "again").result()
            storage.write(visit.answer, study, token, here.place, side, visit.Measured(1000, 1000, took)).result()
    page = write_report(folder, study, storage.read(results, study))
    storage.close()
    return page


def shot(page: Page, path: Path) -> None:
    page.screenshot(path=path.with_suffix(".png"))
    with Image.open(path.with_suffix(".png")) as picture:
        picture.convert("RGB").save(path, quality=80, optimize=True)
    path.with_suffix(".png").unlink()
    print(f"{path}: {path.stat().st_size // 1000} kB")


def walk(browser: Browser, url: str, out: Path, name: str, options: dict[str, Any]) -> None:
    """Screenshots of the page on one kind of screen."""
    page = browser.new_context(**options).new_page()
    page.goto(url)
    page.wait_for_selector("#consent:visible")
    if name == "phone":
        shot(page, out / "study-consent-phone.jpg")
    page.click("#agree")
    page.click("#note-go")
    seen = "[...document.querySelectorAll('canvas')].some(c => c.getContext('2d').getImageData(9, 9, 1, 1).data[3])"
    while not page.evaluate(seen):
        page.wait_for_timeout(30)
    if name == "desktop":
        shot(page, out / "study-exposure-desktop.jpg")
    page.wait_for_selector("#left:enabled")
    if name == "phone":
        shot(page, out / "study-choice-phone.jpg")
    page.click("#left")
    page.wait_for_selector("#next:visible")
    shot(page, out / f"study-practice-{name}.jpg")
    page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--visitors", type=int, default=40)
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        place = Path(temporary)
        true, methods = pictures(place)
        common = {"practice": 3, "trials": 15, "seed": 4}
        make_study(place / "study", true, methods, **common)
        make_study(place / "simulated", true, methods, **common, title="Example with simulated visitors")
        (place / "report.html").write_text(simulate(place / "simulated", arguments.visitors), encoding="utf-8")

        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        command = [*TINTYPE, "study", "serve", str(place / "study"), "--port", "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout
        url = server.stdout.readline().strip()
        for name, options in (("desktop", DESKTOP), ("phone", PHONE)):
            walk(browser, url, out, name, options)
            page = browser.new_context(**options).new_page()
            if name == "desktop":
                page.set_viewport_size({"width": 1280, "height": 1400})
            page.goto((place / "report.html").as_uri())
            shot(page, out / f"study-report-{name}.jpg")
        server.send_signal(signal.SIGINT)
        server.wait(20)
        browser.close()


if __name__ == "__main__":
    main()
