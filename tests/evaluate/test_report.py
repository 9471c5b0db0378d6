"""The report's page: all that was measured, nothing from elsewhere, and readable on a phone."""

import base64
import io
import re
import shutil
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tintype.evaluate.figures import FIGURES
from tintype.evaluate.published import TABLES
from tintype.evaluate.report import report
from tintype.evaluate.report.classes import gains
from tintype.evaluate.report.curves import place

EVIL = '<script>alert("x")</script>&amp;\x1b[2J\u202e\udcff'
OWN = ("bundled", "other", EVIL)
METHODS = ("grey", "random", *OWN, "ground-truth")
PHOTOGRAPHS = [f"animals/{number}.jpg" for number in range(9)]
KINDS = ("best", "median", "worst")


def shares(seed: int) -> list[float]:
    steps = np.random.default_rng(seed).random(151)
    return [float(share) for share in np.cumsum(steps) / steps.sum()]


def result() -> dict[str, Any]:
    figures = {name: 10.0 + place for place, name in enumerate(FIGURES)}
    return {
        "images": 494,
        "methods": {name: dict(figures, auc=80 + place) for place, name in enumerate(METHODS)},
        "intervals": {name: {figure: [v - 1, v + 1] for figure, v in figures.items()} for name in METHODS},
        "curves": {name: {"all": shares(k), "rebalanced": shares(k + 50)} for k, name in enumerate(METHODS)},
        "classes": [
            {
                "class": number,
                "name": f"kind {number}",
                "images": 4,
                "top1": {name: 0.5 if name != "bundled" else (number % 5) / 4 for name in METHODS},
            }
            for number in range(50)
        ],
        "gallery": {
            name: [
                {"kind": KINDS[k // 3], "photograph": photograph, "auc_rebalanced_per_image": 90.0 - k}
                for k, photograph in enumerate(PHOTOGRAPHS)
            ]
            for name in OWN
        },
        "damaged": [{"input": f"{EVIL}.jpg", "error": f"{EVIL}: cut short"}],
        "protocol": {"tintype": "0.1.0", "preset": "own-size", "resize": "none", "prior": EVIL, "seed": 0,
                     "prior_sha256": "ab" * 32, "lpips": None, "classifier": {"name": "efficientnet-lite0"},
                     "models": {EVIL: {"size": 160, "sha256": "cd" * 32}}},
    }  # fmt: skip


def pictures(photograph: str, method: str) -> np.ndarray:
    """Soft shapes with grain, as costly as a photograph; by method another brightness."""
    seed = PHOTOGRAPHS.index(photograph)
    coarse = np.random.default_rng(seed).integers(0, 200, (12, 16, 3), dtype=np.uint8)
    soft = np.asarray(Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(seed).integers(0, 20, (480, 640, 1))
    return (soft // 2 + grain + 20 * METHODS.index(method)).astype(np.uint8)


@pytest.fixture(scope="module")
def page() -> str:
    return report(result(), pictures)


class Page(HTMLParser):
    """Every tag with its attributes, and whether each that was opened was closed."""

    void = frozenset({"meta", "img", "br", "path"})

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_tag_is_closed_in_its_place(page: str) -> None:
    assert Page(page).open == []


def test_nothing_is_loaded_from_elsewhere_and_no_script_is_there(page: str) -> None:
    tags = Page(page).tags
    assert {tag for tag, _ in tags}.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form"})
    assert all(attributes["src"].startswith("data:image/jpeg;base64,") for tag, attributes in tags if tag == "img")
    assert all(attributes["href"].startswith("#") for _, attributes in tags if "href" in attributes)
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
    assert not re.search(r"https?://|url\(|@import", page)


def test_names_from_people_are_text_and_nothing_else(page: str) -> None:
    shown = '<script>alert("x")</script>&amp;\\x1b[2J\\u202e\\udcff'
    parsed = Page(page)
    assert parsed.text.count(shown) > 10
    assert any(attributes.get("alt") == f"animals/0.jpg, {shown}" for _, attributes in parsed.tags)
    assert f"{shown}: cut short" in parsed.text
    assert not set("\x1b\u202e\udcff") & set(page)
    page.encode("utf-8")
    assert EVIL not in report(result(), pictures, title=EVIL)


def test_every_method_and_every_figure_is_there(page: str) -> None:
    text = Page(page).text
    for name in ("grey", "random", "bundled", "other", "ground-truth"):
        assert text.count(name) >= 4, name
    for figure in FIGURES.values():
        assert figure.head in text
        assert figure.what in text
    assert all(f"{80 + place:.2f}" in text for place in range(len(METHODS)))
    assert "9.00 … 11.00" in text  # the interval of the first figure
    assert "Our top-1 is from efficientnet-lite0, not from VGG-16" in text


def test_every_published_figure_is_there_with_its_mark_and_apart_from_ours(page: str) -> None:
    published = "".join(re.findall(r'<tbody class="published">(.*?)</tbody>', page))
    for table in TABLES:
        for row in table.rows:
            assert row.method.replace("&", "&amp;") in published
            for one in row.figures.values():
                assert f"<td>{one.text}<sup>{one.mark}</sup></td>" in published
    assert "bundled" not in published
    assert "cannot be ranked against each other" in page


def test_figures_that_were_not_measured_have_no_column_and_empty_ones_a_dash() -> None:
    given = result()
    for row in given["methods"].values():
        del row["fid"], row["top1"], row["top5"], row["top1_won_back"], row["agreement"]
    given["methods"]["ground-truth"]["psnr"] = None
    given["classes"], given["damaged"] = None, []
    page = report(given, pictures)
    main = page[page.index('id="figures"') : page.index('id="published"')]
    assert ">FID<" not in main
    assert "Meaning, to a classifier" not in main
    assert "<td>∞" in main
    assert 'id="classes"' not in page
    assert 'id="damaged"' not in page


def test_the_curves_are_those_of_the_numbers(page: str) -> None:
    drawn = re.findall(r'<path class="line" style="[^"]*" d="([^"]*)"><title>', page)
    assert len(drawn) == 2 * len(METHODS)
    (left, bottom), (right, top) = place(0, 0), place(150, 1)
    expected = [result()["curves"][name][kind] for kind in ("all", "rebalanced") for name in METHODS]
    for path, given in zip(drawn, expected, strict=True):
        points = np.array([list(map(float, point.split())) for point in path[1:].split("L")])
        np.testing.assert_allclose((points[:, 0] - left) / (right - left) * 150, np.arange(151), atol=0.01)
        np.testing.assert_allclose((bottom - points[:, 1]) / (bottom - top), given, atol=1e-4)


def test_two_methods_never_have_the_same_line() -> None:
    given = result()
    given["curves"] = {f"m{number}": {"all": shares(0), "rebalanced": shares(0)} for number in range(18)}
    styles = re.findall(r'<path class="line" style="([^"]*)" d="[^"]*"><title>', report(given, pictures))
    assert len(set(styles)) == 18


def test_pictures_are_those_of_the_method_small_and_in_the_order_grey_methods_true(page: str) -> None:
    images = [attributes for tag, attributes in Page(page).tags if tag == "img"]
    first = [image["alt"] for image in images[:5]]
    assert [alt.split(", ", 1)[1] for alt in first][:3] == ["grey", "bundled", "other"]
    assert first[-1].endswith(", ground-truth")
    for image, method in zip(images[:5], ("grey", *OWN, "ground-truth"), strict=True):
        with Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2]))) as opened:
            assert max(opened.size) <= 256
            assert opened.size[0] / opened.size[1] == pytest.approx(4 / 3, abs=0.02)
            assert np.asarray(opened).mean() == pytest.approx(pictures(PHOTOGRAPHS[0], method).mean(), abs=2)


def test_each_picture_is_made_once() -> None:
    asked = []

    def counted(photograph: str, method: str) -> np.ndarray:
        asked.append((photograph, method))
        return pictures(photograph, method)

    report(result(), counted)
    assert len(asked) == len(set(asked)) == len(PHOTOGRAPHS) * 5


def test_the_page_of_three_methods_is_below_three_megabytes(page: str) -> None:
    assert len(page.encode()) < 3e6


def test_gains_of_classes_are_over_grey_and_the_largest_come_first(page: str) -> None:
    found = gains(result()["classes"], "bundled")
    assert [gain for gain, _ in found] == sorted(((number % 5) / 4 * 100 - 50 for number in range(50)), reverse=True)
    section = page[page.index('id="classes"') : page.index('id="damaged"')]
    bundled = section[section.index("<h3>bundled") : section.index("<h3>other")]
    assert "50 classes: 20 gain, 20 lose, 10 stay." in bundled
    assert re.findall(r"<td>(\+\d+|&minus;\d+)</td>", bundled) == ["+50"] * 10 + ["&minus;50"] * 10
    assert "Largest gains: none." in section[section.index("<h3>other") :]


CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize(("width", "scheme"), [(375, "dark"), (1280, "light")])
def test_the_page_itself_never_scrolls_sideways(page: str, width: int, scheme: str) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.set_content(page)
        tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        assert tab.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
        assert not [url for url in asked if not url.startswith(("data:", "about:"))]
        browser.close()
