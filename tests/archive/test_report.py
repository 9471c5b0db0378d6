"""Reports: a line for every photograph, whatever its name, and none twice, whenever a run was killed."""

import csv
import json
from pathlib import Path

import pytest

from tintype.archive.report import ReportError, ReportFile
from tintype.runtime.folders import Item

MADE = Item("a.jpg", "out/a.jpg", seconds=1.2345, size=99)
FAILED = Item("b.jpg", "out/b.jpg", error='b.jpg: damaged, or "cut" short', seconds=0.5)
SUFFIXES = pytest.mark.parametrize("suffix", [".csv", ".jsonl"])


def rows(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


def add(path: Path, *items: Item) -> None:
    with ReportFile(path) as report:
        for item in items:
            report.add(item)


@SUFFIXES
def test_a_line_has_what_came_of_a_photograph(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"report{suffix}"
    add(path, MADE, FAILED)
    made, failed = rows(path)
    expected = {
        "source": "a.jpg",
        "target": "out/a.jpg",
        "status": "made",
        "error": "",
        "seconds": 1.234,
        "size": 99,
    }
    assert made == (expected if suffix == ".jsonl" else {key: str(value) for key, value in expected.items()})
    assert (failed["status"], failed["error"]) == ("failed", FAILED.error)


@SUFFIXES
def test_a_restart_goes_on_and_doubles_no_line(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"report{suffix}"
    add(path, MADE, FAILED)
    again = Item("b.jpg", "out/b.jpg", seconds=2.0, size=5)
    add(path, Item("a.jpg", "out/a.jpg", skipped=True), again, Item("c.jpg", "out/c.jpg", skipped=True))
    assert [(row["source"], row["status"]) for row in rows(path)] == [
        ("a.jpg", "made"),
        ("b.jpg", "made"),
        ("c.jpg", "skipped"),
    ]


@SUFFIXES
def test_wherever_a_run_was_killed_whole_lines_stay_and_half_ones_go(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"report{suffix}"
    odd = Item('two\nlines, "so" caf\udce9.jpg', "out/two\nlines.jpg", seconds=1.0, size=7)
    add(path, MADE, odd)
    whole = path.read_bytes()
    expected = rows(path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        add(path, Item(MADE.source, MADE.target, skipped=True), odd)
        found = rows(path)
        assert [row["source"] for row in found] == [MADE.source, odd.source], length
        assert found[1] == expected[1]


@SUFFIXES
def test_lines_are_there_before_the_run_ends(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"report{suffix}"
    with ReportFile(path) as report:
        report.add(MADE)
        assert [row["source"] for row in rows(path)] == ["a.jpg"]


def test_the_size_of_an_output_that_was_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(bytes(123))
    add(tmp_path / "r.csv", Item("a", str(tmp_path / "a.jpg"), skipped=True))
    assert rows(tmp_path / "r.csv")[0]["size"] == "123"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.txt", ""),
        ("r.csv", "name,age\nme,3\n"),
        ("r.jsonl", '{"name": 3}\n'),
        ("r.jsonl", "text\n"),
        ("r.jsonl", "text"),
        ("r.csv", "text"),
        ("r.jsonl", "3\n"),
    ],
)
def test_other_files_are_refused_and_stay_as_they_are(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ReportError, match=name):
        ReportFile(tmp_path / name)
    assert (tmp_path / name).read_text() == content


def test_two_runs_cannot_write_one_report(tmp_path: Path) -> None:
    add(tmp_path / "r.csv", MADE)
    with ReportFile(tmp_path / "r.csv"), pytest.raises(ReportError, match="another run"):
        ReportFile(tmp_path / "r.csv")
    add(tmp_path / "r.csv", FAILED)
    assert len(rows(tmp_path / "r.csv")) == 2
