"""What tests of the page do in a browser, and what the study has stored meanwhile."""

import shutil
import time

from sqlalchemy import select

from tintype.study.storage import Storage, trials

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WEBGL = [  # without a graphics card
    *(flag for flag in FLAGS if flag != "--disable-gpu"),
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True, "device_scale_factor": 3}


def start(page):
    page.click("#agree")
    page.click("#note-go")


def choice(page):
    page.wait_for_selector("#left:enabled")


def answer(page, key="ArrowLeft", practice=False):
    choice(page)
    page.keyboard.press(key)
    if practice:
        page.wait_for_selector("#next:visible")
        page.keyboard.press("Enter")


def stored(study):
    storage = Storage(study)
    rows = storage.read(lambda c: c.execute(select(trials).order_by(trials.c.visitor, trials.c.place)).mappings().all())
    storage.close()
    return rows


def answered(study):
    return [row for row in stored(study) if row["answered"] is not None]


def until(page, test):
    deadline = time.monotonic() + 15
    while not test():
        assert time.monotonic() < deadline
        page.wait_for_timeout(30)
