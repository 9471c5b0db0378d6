"""The page of a table: a file of its own, true to its dict, to be read on any screen by anybody."""

import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

from tintype.tables.chart import chart
from tintype.tables.drawing import ticks
from tintype.tables.page import page

EVIL = '<script>alert("x")</script>&amp;\x1b[2J\u202e'


class Page(HTMLParser):
    """Tags with their attributes, and whether they are closed as they were opened."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)
        self.links = [found["href"] for _, found in self.tags if "href" in found]
        self.ids = [found["id"] for _, found in self.tags if "id" in found]

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_needs_nothing_else(built):
    shown = page(built)
    found = Page(shown)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert {tag for tag, _ in found.tags}.isdisjoint({"script", "link", "iframe", "img", "object", "form"})
    assert all(link.startswith(("#", "runs/")) for link in found.links)
    assert not re.search(r"src=|https?:|@import|url\(", shown)


def test_each_figure_is_linked_to_its_run_and_the_run_to_its_files(built, tmp_path):
    found = Page(page(built))
    inner = [link[1:] for link in found.links if link.startswith("#")]
    assert set(inner) <= set(found.ids)
    for row in built["rows"]:
        for cell in row["ours"].values():
            assert cell["runs"][0] in inner
    files = [link for link in found.links if link.startswith("runs/")]
    done = [name for name, run in built["runs"].items() if run["state"] == "done"]
    assert sorted(files) == sorted(f"runs/{name}/{file}" for name in done for file in ("recipe.yaml", "results.json"))
    assert all((tmp_path / file).exists() for file in files if file.endswith("results.json"))
    assert "random: seg" in found.text
    assert "--weights random" in found.text  # the command


def test_what_is_missing_has_a_footnote_for_each_reason(built):
    shown = page(built)
    notes = re.findall(r'<li id="note-(\d)">(.*?)</li>', shown)
    assert notes == [("1", "not all runs are done"), ("2", "too slow"), ("3", "as published; no run makes it")]
    assert shown.count('href="#note-3"') == 2  # of the row of others
    assert re.search(r'>25\.0 \(1\)</a><sup><a href="#note-1"', shown)


def test_published_figures_ours_and_differences_are_the_dicts(built):
    body = re.search(r"<tbody>(.*?)</tbody>", page(built))[1]
    rows = [re.sub(r"<.*?>", " ", row).split() for row in re.findall(r"<tr>(.*?)</tr>", body)]
    assert rows[0] == [
        *("random", "20.5", "V", "25.2", "±", "0.2", "+4.7"),
        *("6.7", "±", "0.5", "M", "25.0", "(1)", "1", "+18.3"),  # of one seed; footnote 1
    ]


def test_titles_from_people_are_text_and_nothing_else(built):
    built["title"] = built["rows"][0]["title"] = built["columns"][0]["title"] = EVIL
    for plot in ("bars", "lines"):
        shown = page({**built, "plot": plot})
        assert Page(shown).open == []
        assert "<script" not in shown
        assert not set("\x1b\u202e") & set(shown)


@pytest.mark.parametrize("plot", ["bars", "lines"])
def test_drawings_are_named_for_who_cannot_see_them(built, plot):
    found = Page(page({**built, "plot": plot}))
    drawings = [attributes for tag, attributes in found.tags if tag == "svg" and "aria-hidden" not in attributes]
    assert len(drawings) == (2 if plot == "bars" else 1)
    for attributes in drawings:
        assert attributes["role"] == "img"
        assert set(attributes["aria-labelledby"].split()) <= set(found.ids)
    assert all("scope" in attributes for tag, attributes in found.tags if tag == "th")


def test_bars_are_as_long_as_their_figures(built):
    drawn = chart(built)
    wide = {
        kind: [
            float(width) for width in re.findall(rf'<rect class="{kind}"[^>]*width="([\d.]+)" height="\d+"><', drawn)
        ]
        for kind in ("bar", "quoted")
    }
    ours = [row["ours"][name]["mean"] for name in ("seg", "few") for row in built["rows"] if name in row["ours"]]
    paper = [built["rows"][place]["published"][name]["value"] for name in ("seg", "few") for place in (0, 1)]
    assert len(wide["bar"]) == 3
    assert len(wide["quoted"]) == 4
    first = wide["bar"][0] / ours[0]  # of a drawing's scale
    assert np.allclose([*wide["bar"][:2], *wide["quoted"][:2]], np.array([*ours[:2], *paper[:2]]) * first, atol=0.1)


@pytest.mark.parametrize("plot", ["bars", "lines"])
def test_the_chart_has_every_seed_and_a_whisker_where_there_are_several(built, plot):
    drawn = chart({**built, "plot": plot}).partition("</ul>")[2]
    assert drawn.count('class="dot') == 5  # two seeds of two cells, one of a third
    assert drawn.count('class="whisker') == 2
    assert chart({**built, "plot": plot, "rows": built["rows"][2:]}) == ""  # the paper's alone


def test_curves_go_through_the_figures(built):
    drawn = chart({**built, "plot": "lines"}).partition("</ul>")[2]
    (ours, *_) = re.findall(r'<path class="ours s0" d="M([^"]*)"', drawn)
    (paper, *_) = re.findall(r'<path class="quoted s0" d="M([^"]*)"', drawn)
    heights = [float(point.split()[1]) for path in (ours, paper) for point in path.split("L")]
    values = [built["rows"][0]["ours"][name]["mean"] for name in ("seg", "few")]
    values += [built["rows"][0]["published"][name]["value"] for name in ("seg", "few")]
    slope, start = np.polyfit(values, heights, 1)
    assert slope < 0
    assert np.allclose(np.polyval([slope, start], values), heights, atol=0.1)


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.02], [36.2, 5], [-0.3, 0.9], [-2.0, -1.0], [99.9], [1e-7]])
def test_ticks_are_few_round_and_around_everything(values):
    found = ticks(values)
    assert 2 <= len(found) <= 9
    assert found[0] <= min(0, *values)
    assert found[-1] >= max(values)
    assert 0 in found
    assert len({round(value / (found[1] - found[0]), 6) for value in found}) == len(found)


CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("plot", ["bars", "lines"])
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_on_any_screen_only_the_table_scrolls_sideways(built, tmp_path, plot, width, scheme):
    playwright = pytest.importorskip("playwright.sync_api")
    file = tmp_path / "table.html"
    file.write_text(page({**built, "plot": plot}), "utf-8")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(file.as_uri())
        tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        box = "document.querySelector('.wide')"
        assert (tab.evaluate(f"{box}.scrollWidth > {box}.clientWidth")) == (width < 400)
        right = (
            "Math.max(...[...document.querySelectorAll('figure svg')].map(one => one.getBoundingClientRect().right))"
        )
        assert 0 < tab.evaluate(right) <= width
        inside = """[...document.querySelectorAll('figure svg')].every(one => [...one.querySelectorAll('text')].every(
            word => { const a = word.getBoundingClientRect(), b = one.getBoundingClientRect();
                      return a.left >= b.left - 1 && a.right <= b.right + 1 && a.bottom <= b.bottom + 1 }))"""
        assert tab.evaluate(inside)
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(22, 24, 27)" if scheme == "dark" else "rgb(255, 255, 255)"
        )
        assert asked == [file.as_uri()]
        browser.close()


def test_a_table_that_only_zeros_came_of_is_drawn(built):
    for row in built["rows"]:
        row["published"] = {}
        for cell in row["ours"].values():
            cell |= {"mean": 0.0, "std": 0.0, "values": [0.0]}
    for plot in ("bars", "lines"):
        assert "<svg" in page(json.loads(json.dumps({**built, "plot": plot})))


@pytest.mark.parametrize("plot", ["bars", "lines"])
def test_whiskers_are_what_the_table_says(built, plot):
    plain = chart({**built, "plot": plot})
    assert "their standard deviation" in plain
    rows = [{**row, "ours": {name: {**cell, "low": 5.0, "high": 45.0} for name, cell in row["ours"].items()}}
            for row in built["rows"]]  # fmt: skip
    drawn = chart({**built, "plot": plot, "rows": rows, "whiskers": "quartiles over units"})
    assert "quartiles over units" in drawn
    assert "their standard deviation" not in drawn
    assert drawn.partition("</ul>")[2].count('class="whisker') == sum(len(row["ours"]) for row in rows)
