"""Damaged photographs are told once, and their list stays whole."""

import subprocess
import sys

import pytest

from tintype.data import Damaged, LoadingError


def _lines(path):
    return path.read_text("utf-8", "surrogateescape").splitlines()


def test_each_is_told_and_counted_once(caplog):
    damaged = Damaged(10, 0.2)
    for _ in range(3):
        damaged.note("a.jpg", "cut short")
        damaged.note("b.jpg", "cut short")
    assert [record.message for record in caplog.records] == ["skipped a.jpg: cut short", "skipped b.jpg: cut short"]
    with pytest.raises(LoadingError, match=r"^3 of 10 photographs are damaged, more than 20.00% .*c.jpg: empty$"):
        damaged.note("c.jpg", "empty")


def test_what_was_met_before_there_was_a_list_is_listed_too(tmp_path):
    damaged = Damaged(10)
    damaged.note("a.jpg", "empty")
    damaged.list_in(tmp_path / "run" / "damaged.tsv")
    damaged.note("b.jpg", "empty")
    assert _lines(tmp_path / "run" / "damaged.tsv") == ["a.jpg\tempty", "b.jpg\tempty"]


def test_what_an_earlier_run_listed_is_not_listed_again(tmp_path):
    for name in ("a.jpg", "b.jpg", "a.jpg"):
        damaged = Damaged(10)
        damaged.list_in(tmp_path / "damaged.tsv")
        damaged.note(name, "empty")
    assert _lines(tmp_path / "damaged.tsv") == ["a.jpg\tempty", "b.jpg\tempty"]


def test_half_a_line_does_not_spoil_the_next(tmp_path):
    listing = tmp_path / "damaged.tsv"
    listing.write_text("a.jpg\tempty\nb.j")  # a disk was full
    damaged = Damaged(10)
    damaged.list_in(listing)
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        damaged.note(name, "empty")
    assert _lines(listing) == ["a.jpg\tempty", "b.j", "b.jpg\tempty", "c.jpg\tempty"]


def test_tabs_and_line_breaks_in_names_leave_one_line_of_two_columns(tmp_path):
    damaged = Damaged(10)
    damaged.list_in(tmp_path / "damaged.tsv")
    damaged.note("a\tb\nc\udcff.jpg", "no\nsense")
    assert _lines(tmp_path / "damaged.tsv") == ["a?b?c\udcff.jpg\tno?sense"]


NOTE_MANY = """
import sys
from pathlib import Path
from tintype.data.damaged import Damaged
damaged = Damaged(1 << 20)
damaged.list_in(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 300):
    damaged.note(f"{number:06}" + "x" * 400, "empty")
"""


def test_lines_of_several_processes_are_never_mixed(tmp_path):
    listing = tmp_path / "damaged.tsv"
    begun = [
        subprocess.Popen([sys.executable, "-c", NOTE_MANY, listing, str(first)], stderr=subprocess.DEVNULL)
        for first in (0, 1000)
    ]
    assert [process.wait() for process in begun] == [0, 0]
    expected = {f"{first + n:06}" + "x" * 400 + "\tempty" for first in (0, 1000) for n in range(300)}
    lines = _lines(listing)
    assert len(lines) == 600
    assert set(lines) == expected
