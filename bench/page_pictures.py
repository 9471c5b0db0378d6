"""Make the screenshots of docs/serve.md: the page, on a desktop and on a phone.

    python bench/page_pictures.py

The photographs come from packages that ship freely licensed ones, as for README's pictures (docs/pictures/LICENSE.md).
Needs chromium.
"""

import argparse
import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from _page import DESKTOP, PHONE, chromium, click_at, marks, opened, until
from _photograph import free_photographs
from _served import served

ORDER = ("palace", "astronaut", "coffee", "flower", "cat", "rocket")


def take(page: Page, path: Path) -> None:
    page.wait_for_timeout(300)
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=85)
    print(path)


def split(page: Page, share: float) -> None:
    """Moves the handle between before and after."""
    page.focus("#split")
    page.keyboard.press("Home")
    for _ in range(round(share / 0.05)):
        page.keyboard.press("ArrowRight")
    page.evaluate("document.activeElement.blur()")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), help="folder")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder, served() as address, chromium() as browser:
        photographs = free_photographs()
        files = [Path(folder, f"{name}.jpg") for name in ORDER if name in photographs]
        for file in files:
            Image.fromarray(photographs[file.stem]).convert("L").save(file, quality=92)
        page = opened(browser, address, files, **DESKTOP)
        split(page, 0.5)
        take(page, out / "page-desktop.jpg")
        page.locator("#photographs button").nth(1).click()
        until(page, lambda: len(marks(page, "shown")) > 1)
        page.wait_for_selector("#alternatives img")
        split(page, 0)
        click_at(page, 0.75, 0.45)
        take(page, out / "page-hint-desktop.jpg")
        phone = opened(browser, address, files, **PHONE)
        split(phone, 0.5)
        take(phone, out / "page-phone.jpg")


if __name__ == "__main__":
    main()
