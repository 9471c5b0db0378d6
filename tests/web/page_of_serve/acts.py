"""What is done on the page, and what is seen there."""

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

from tintype.color import rgb_to_lab
from web.page import until

WIDE = {"viewport": {"width": 1280, "height": 800}}
BEGIN = "**/api/drafts?*"


def marks(page, name):
    return page.evaluate(f"performance.getEntriesByName({json.dumps(name)}).length")


def shown(page, name):
    """How often a photograph was painted first."""
    return page.evaluate(
        "name => performance.getEntriesByName('shown').filter((mark) => mark.detail === name).length", name
    )


def add(page, *paths):
    before = marks(page, "shown")
    page.set_input_files("#add", [str(path) for path in paths])
    if before == 0:
        until(page, lambda: marks(page, "shown"))
    until(page, lambda: not page.locator("[data-state=waiting], [data-state=working]").count())


def canvas(page):
    """What is painted, (H, W, 3), once it is."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return np.asarray(Image.open(io.BytesIO(page.locator("#canvas").screenshot())).convert("RGB"))


def coloured(picture):
    return float(np.hypot(*rgb_to_lab(picture / 255, axis=-1)[..., 1:].transpose(2, 0, 1)).mean())


def bare(page):
    """Hides what lies over the photograph."""
    page.evaluate("""for (const id of ["split", "before", "after", "marks", "cross"])
        document.getElementById(id).style.opacity = 0 """)


def hint(page, y=0.6, x=0.6, swatch=1):
    box = page.locator("#canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.wait_for_selector("#hint[open]")
    before = marks(page, "refreshed")
    page.locator("#swatches button").nth(swatch).click()
    until(page, lambda: marks(page, "refreshed") > before)


def downloaded(page, button):
    with page.expect_download() as waiting:
        page.click(button)
    return waiting.value.suggested_filename, Path(waiting.value.path())


def states(page):
    return [button.get_attribute("data-state") for button in page.locator("#photographs button").all()]


def names(page):
    return page.locator("#photographs button").all_inner_texts()


class Held:
    """Requests that match go no further until they are let."""

    def __init__(self, page, pattern):
        self.page, self.holding, self.routes = page, True, []
        page.route(pattern, lambda route: self.routes.append(route) if self.holding else route.continue_())

    def wait(self):
        until(self.page, lambda: self.routes)

    def release(self):
        self.holding = False
        for route in self.routes:
            route.continue_()


def busy(page, pattern, times):
    """Has the first requests that match refused, as a busy server does. All of them, as they come."""
    asked = []

    def answer(route):
        asked.append(route.request)
        if len(asked) <= times:
            route.fulfill(status=503, json={"error": "busy"})
        else:
            route.continue_()

    page.route(pattern, answer)
    return asked
