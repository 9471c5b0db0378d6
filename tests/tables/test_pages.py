import json
import re
from html.parser import HTMLParser

import pytest

from tables.small import write_table
from tintype.tables.chart import chart
from tintype.tables.collect import collect
from tintype.tables.execute import Folder
from tintype.tables.files import write_all
from tintype.tables.markup import escaped, latex, markdown
from tintype.tables.page import page
from tintype.tables.plan import make_plan
from tintype.tables.spec import load_table
from tintype.tables.words import summary


@pytest.fixture
def built(tmp_path):
    """A table of which some runs are done, and one is as the paper does not have it."""
    (tmp_path / "a.tar").touch()
    table = load_table(write_table(tmp_path))
    plan, folder = make_plan(table, "mini", {"photos": [str(tmp_path)]}), Folder(tmp_path)
    for (row, column), cell in plan.cells.items():
        for seed, name in enumerate(cell.runs):
            value = {"none": 25.0, "colour": 24.0}[row] + seed / 3
            file = folder.result(plan.runs[name])
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps({"results": {cell.path: value}}))
            if column == "few" and seed:
                file.unlink()
    return collect(table, "mini", plan, folder)


def test_the_terminal_shows_paper_and_ours_and_what_is_not_so(built):
    lines = summary(built).splitlines()
    row = next(line for line in lines if line.startswith("random "))
    assert re.split(r"  +", row) == ["random", "20.5 V", "25.2 ± 0.2", "6.7 ± 0.5 M", "25.0"]
    assert "  colorization above random, seg: -1.0 (paper +15.7)  NOT SO" in lines
    assert "  random, 10 per class: not all runs are done" in lines
    assert "  others: not at this scale" in lines
    assert len({line.index("seg") for line in lines if line.lstrip().startswith("row")}) == 1


def test_more_seeds_of_some_columns_are_told(built):
    assert "small; 2 seeds\n" in summary(built)
    built["columns"][1]["seeds"] = 8
    for text in (summary(built), markdown(built), latex(built), page(built)):
        assert "2 seeds (10 per class: 8)" in text


def test_markdown_has_a_row_for_each_and_as_many_cells_as_heads(built):
    table = [line for line in markdown(built).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {8}
    assert table[2] == "| random | 20.5 V | 25.2 ± 0.2 | +4.7 | 6.7 ± 0.5 M | 25.0 | +18.3 |"


def test_latex_prints_every_character(built):
    assert escaped(r"50 % & a_b {x} \y ± 3 > 2 #1 $ ~ ^") == (
        r"50 \% \& a\_b \{x\} \textbackslash{}y $\pm$ 3 $>$ 2 \#1 \$ \textasciitilde{} \textasciicircum{}"
    )
    text = latex(built)
    assert "Table 7: 50 \\% \\& more" in text
    rows = re.findall(r"^(random|colorization|others)(.*)\\\\$", text, re.MULTILINE)
    assert [(name, cells.count("&")) for name, cells in rows] == [("random", 4), ("colorization", 4), ("others", 4)]


class Page(HTMLParser):
    """Links, their targets, and whether tags are closed as they were opened."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.ids, self.text = [], [], set(), text
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found["id"]} if "id" in found else set()
        self.links += [found["href"]] if "href" in found else []
        if tag not in ("meta", "rect", "path", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else_and_links_each_figure_to_its_run(built):
    found = Page(page(built))
    assert found.open == []
    inner = [link[1:] for link in found.links if link.startswith("#")]
    assert len(inner) == 3
    assert set(inner) <= found.ids
    assert all(link.startswith(("#", "runs/")) for link in found.links)
    assert not re.search(r"<script|src=|https?:|@import", found.text)
    assert "Made up, Table 7: 50 % &amp; more" in found.text


@pytest.mark.parametrize("plot", ["bars", "lines"])
def test_the_chart_has_every_seed_and_every_published_figure_of_rows_that_are_run(built, plot):
    drawn = chart({**built, "plot": plot})
    assert drawn.count('class="dot"') == 5  # two seeds of two cells, one of a third
    if plot == "bars":
        assert drawn.count('class="paper"') == 1 + 4  # and one in the key
    assert chart({**built, "rows": built["rows"][2:]}) == ""
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', drawn)]
    values = [value for row in built["rows"] for cell in row["ours"].values() for value in cell["values"]]
    in_order = sorted(zip(values, heights, strict=True)) if plot == "bars" else []
    assert [height for _, height in in_order] == sorted((height for _, height in in_order), reverse=True)


def test_all_files_are_written_and_replaced(built, tmp_path):
    for _ in range(2):
        write_all(built, tmp_path / "tables")
    names = sorted(path.name for path in (tmp_path / "tables").iterdir())
    assert names == [f"small-mini.{ending}" for ending in ("html", "json", "md", "tex", "txt")]
    assert json.loads((tmp_path / "tables" / "small-mini.json").read_text()) == built
