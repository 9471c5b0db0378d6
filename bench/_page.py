"""The page of `tintype serve` in a browser, for benchmarks and pictures."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
FLAGS = ["--no-sandbox", "--no-first-run", "--disable-background-networking"]
NO_CARD = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]  # WebGL by the processor


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that paints without a graphics card, as the machine may have none."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        raise SystemExit("needs chromium: apt-get install chromium, or CHROMIUM=its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *NO_CARD])
        yield browser
        browser.close()


def opened(browser: Browser, address: str, files: Sequence[Path], **device: Any) -> Page:
    """The page with photographs, of which the first is shown and all are colorized."""
    page = browser.new_context(**device).new_page()
    page.goto(address)
    page.set_input_files("#add", [str(file) for file in files])
    until(page, lambda: marks(page, "shown"))
    until(page, lambda: not page.locator("[data-state=waiting], [data-state=working]").count())
    page.wait_for_selector("#alternatives img")
    return page


def marks(page: Page, name: str) -> list[float]:
    """When something happened, in milliseconds of the page's clock."""
    times: list[float] = page.evaluate("name => performance.getEntriesByName(name).map((mark) => mark.startTime)", name)
    return times


def until(page: Page, test: Any) -> None:
    """Waits, a minute at most."""
    end = time.monotonic() + 60
    while not test():
        if time.monotonic() > end:
            raise TimeoutError
        page.wait_for_timeout(10)


def click_at(page: Page, y: float, x: float) -> None:
    """Clicks a place of the canvas, in shares of it; the dialog for its colour opens."""
    box = page.locator("#canvas").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.wait_for_selector("#hint[open]")
