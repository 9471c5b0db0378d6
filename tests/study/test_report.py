import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from PIL import Image

from study.small import judge, make
from tintype.study.folder import read_study
from tintype.study.report import write_report
from tintype.study.results import results
from tintype.study.storage import Storage


@pytest.fixture
def told(tmp_path):
    folder = make(tmp_path)
    study, storage = read_study(folder), Storage(folder)
    for number in range(6):
        judge(storage, study, f"{number}", [False, False, True, number % 2 == 0, False, False])
    found = storage.read(results, study)
    storage.close()
    return found, write_report(folder, study, found)


class _Page(HTMLParser):
    """Collects tags, and checks that they are closed in order."""

    VOID = ("meta", "img", "line", "rect", "path")

    def __init__(self):
        super().__init__()
        self.open, self.attributes, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def _parse(page):
    parsed = _Page()
    parsed.feed(page)
    assert parsed.open == []
    return parsed


def test_the_page_holds_every_figure_of_the_table(told):
    found, page = told
    text = _parse(page).text
    for name, figures in found["methods"].items():
        assert name in text
        assert f"{figures['fooled_percent']:.1f} %" in text
        assert "{:.1f} to {:.1f} %".format(*figures["interval"]) in text
    for check in found["rule"]:
        assert check in text


def test_the_page_asks_for_nothing_from_elsewhere(told):
    page = told[1]
    links = [value for _, name, value in _parse(page).attributes if name in ("src", "href", "srcset", "xlink:href")]
    assert links
    assert all(link.startswith("data:image/jpeg;base64,") for link in links)
    assert "url(" not in page
    assert "<script" not in page
    assert not re.search(r"https?://", page)


def test_the_pictures_are_there_and_small(told):
    page = told[1]
    for data in re.findall(r"data:image/jpeg;base64,([^\"]+)", page):
        with Image.open(BytesIO(base64.b64decode(data))) as picture:
            assert picture.size == (160, 160)
            picture.load()
    assert len(page) < 1_000_000


def test_names_cannot_put_markup_into_the_page(tmp_path, told):
    folder = tmp_path / "study"
    study = read_study(folder)
    found, _ = told
    evil = "<script>alert(1)</script>"
    object.__setattr__(study, "title", evil)
    found["rule"].append(evil)
    page = write_report(folder, study, found)
    assert evil not in page
    assert _parse(page).text.count(evil) == 3
