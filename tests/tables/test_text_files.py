"""A table in the terminal, as Markdown, as LaTeX, and all its files."""

import json
import re

from tintype.tables.files import write_all
from tintype.tables.markup import escaped, latex, markdown
from tintype.tables.page import page
from tintype.tables.words import reasons, summary, verdicts


def test_the_terminal_shows_paper_and_ours_and_what_is_not_so(built):
    lines = summary(built).splitlines()
    row = next(line for line in lines if line.startswith("random "))
    assert re.split(r"  +", row) == ["random", "20.5 V", "25.2 ± 0.2", "+4.7", "6.7 ± 0.5 M", "25.0 (1)", "+18.3"]
    assert "  colorization above random, seg: -1.0 (paper +15.7)  NOT SO" in lines
    assert "  random, 10 per class: not all runs are done" in lines
    assert "  others: as published; no run makes it" in lines
    assert "  all pairs of rows in the paper's order: seg 0 of 1" in lines
    assert "scale mini: small; 2 seeds, or as many as stand in brackets, mean ± standard deviation" in lines
    assert {line[0] for line in lines[-3:]} == {"V", "M"}  # the marks that are there, and what they mean


def test_heads_stand_over_their_columns_in_the_terminal(built):
    built["columns"][0]["title"] = "segmentation with field-of-view blocks"
    lines = summary(built).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("row"))
    first = re.compile(r"\bdiff\.")
    ends = [found.end() for found in first.finditer(lines[at])]
    assert lines[at - 1][: ends[0]].endswith("segmentation with field-of-view blocks")
    assert [lines[at + 1][:end].split()[-1] for end in ends] == ["+4.7", "+18.3"]
    assert len({len(line) for line in lines[at : at + 4]}) == 1


def test_an_ordering_that_the_paper_itself_has_not_is_told(built):
    built["expected"][0]["columns"]["seg"] |= {"gain": 2.0, "published_gain": -5.0, "separate": False}
    built["agreement"]["seg"]["pairs"] = 0
    assert verdicts(built) == [
        "colorization above random, seg: +2.0 (paper -5.0)  yes, but seeds overlap; not so in the paper"
    ]
    built["expected"][0]["columns"]["seg"] |= {"gain": -2.0, "published_gain": None}
    assert verdicts(built) == ["colorization above random, seg: -2.0 (paper has none)  NOT SO"]
    built["expected"][0]["columns"] = {}  # nothing is run of one of them, or --only left it out
    del built["rows"][1]
    assert verdicts(built) == []


def test_a_column_that_has_nothing_is_told_once(built):
    for row in built["rows"][:2]:
        row["ours"].pop("few", None)
        row["not_run"]["few"] = "too slow"
    assert reasons(built) == ["10 per class: too slow", "others: as published; no run makes it"]
    built["rows"][0]["not_run"]["few"] = "failed"
    assert reasons(built)[:2] == ["random, 10 per class: failed", "colorization, 10 per class: too slow"]


def test_more_seeds_of_some_columns_are_told(built):
    built["columns"][1]["seeds"] = 8
    for text in (summary(built), markdown(built), latex(built), page(built)):
        assert "2 seeds (10 per class: 8), or as many as stand in brackets" in text
    built["columns"][1]["seeds"] = 1  # all of it is done
    for text in (summary(built), markdown(built), latex(built), page(built)):
        assert "2 seeds (10 per class: 1)" in text
        assert "in brackets" not in text
        assert "25.0 (1)" not in text


def test_markdown_has_a_row_for_each_and_as_many_cells_as_heads(built):
    table = [line for line in markdown(built).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {8}
    assert table[2] == "| random | 20.5 V | 25.2 ± 0.2 | +4.7 | 6.7 ± 0.5 M | 25.0 (1) | +18.3 |"


def test_latex_prints_every_character(built):
    assert escaped(r"50 % & a_b {x} \y ± 3 > 2 #1 $ ~ ^") == (
        r"50 \% \& a\_b \{x\} \textbackslash{}y $\pm$ 3 $>$ 2 \#1 \$ \textasciitilde{} \textasciicircum{}"
    )
    text = latex(built)
    assert "Table 7: 50 \\% \\& more" in text
    rows = re.findall(r"^(random|colorization|others)(.*)\\\\$", text, re.MULTILINE)
    assert [(name, cells.count("&")) for name, cells in rows] == [("random", 6), ("colorization", 6), ("others", 6)]
    assert rows[0][1].strip() == "& 20.5 V & 25.2 $\\pm$ 0.2 & +4.7 & 6.7 $\\pm$ 0.5 M & 25.0 (1) & +18.3"


def test_markdown_shows_every_character(built):
    built["rows"][0]["title"] = "a|b *c* <d> [e] `f` g_h"
    line = next(line for line in markdown(built).splitlines() if "20.5" in line)
    assert line.startswith(r"| a\|b \*c\* \<d\> \[e\] \`f\` g\_h | 20.5 V |")


def test_without_published_figures_there_are_no_marks(built):
    assert "Marks: " in markdown(built)
    assert "Marks: " in latex(built)
    built["marks"] = {}
    assert "Marks" not in markdown(built)
    assert "Marks" not in latex(built)


def test_where_nothing_is_published_there_is_only_ours(built):
    for row in built["rows"]:
        row["published"] = {}
        for cell in row["ours"].values():
            cell["difference"] = None
    lines = summary(built).splitlines()
    assert re.split(r"  +", next(one for one in lines if one.startswith("row "))) == ["row", "ours", "ours"]
    assert re.split(r"  +", next(one for one in lines if one.startswith("random "))) == [
        "random",
        "25.2 ± 0.2",
        "25.0 (1)",
    ]
    assert "| random | 25.2 ± 0.2 | 25.0 (1) |" in markdown(built)
    assert r"random & 25.2 $\pm$ 0.2 & 25.0 (1) \\" in latex(built)
    assert r"\multicolumn{1}{c}{seg} & \multicolumn{1}{c}{10 per class}" in latex(built)
    cells = re.search(r"random</th>(.*?)</tr>", page(built))[1]
    assert re.sub(r"<.*?>", " ", cells).split() == ["25.2", "±", "0.2", "25.0", "(1)", "1"]
    for text in (summary(built), markdown(built), latex(built), page(built)):
        assert "ours less" not in text
        assert "diff." not in text


def test_a_table_of_some_rows_leaves_that_of_all_rows(built, tmp_path):
    write_all(built, tmp_path)
    write_all(built, tmp_path, ["none", "colour"])
    assert (tmp_path / "small-mini.html").exists()
    assert (tmp_path / "small-mini-none-colour.html").exists()


def test_all_files_are_written_and_replaced(built, tmp_path):
    for _ in range(2):
        write_all(built, tmp_path / "tables")
    names = sorted(path.name for path in (tmp_path / "tables").iterdir())
    assert names == [f"small-mini.{ending}" for ending in ("html", "json", "md", "tex", "txt")]
    assert json.loads((tmp_path / "tables" / "small-mini.json").read_text()) == built
