"""`tintype study` as a person meets it."""

import json

import pytest
from click.testing import CliRunner

from study.small import folders, judge
from tintype.cli import main
from tintype.study.folder import read_study
from tintype.study.storage import Storage


@pytest.fixture
def tintype(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders(tmp_path)

    def tintype(*arguments):
        done = CliRunner().invoke(main, ["study", *arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return tintype


NEW = ("new", "mine", "--true", "true", "--method", "half=half", "--method", "faint=faint")
SMALL = ("--trials", "4", "--practice", "2")


def test_new_makes_a_study_and_says_what_to_do_next(tintype):
    done = tintype(*NEW, *SMALL)
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "made mine: 8 pictures, half, faint",
        "`tintype study serve mine` opens it to visitors.",
    ]


def test_what_is_left_out_is_said_and_told_by_the_exit_code(tintype, tmp_path):
    (tmp_path / "faint" / "3.png").unlink()
    done = tintype(*NEW, *SMALL)
    assert done.exit_code == 1
    assert "true/3.png: left out of every method, as it is not in faint" in done.stderr
    assert "made mine: 7 pictures, half, faint; 1 left out" in done.stderr


def test_too_few_pictures_is_wrong_usage_in_one_line(tintype, tmp_path):
    done = tintype(*NEW)
    assert done.exit_code == 2
    assert done.stderr == (
        "Error: 10 practice and 40 test pairs need 50 pictures, but there are 8; "
        "add pictures, or lower --trials or --practice\n"
    )
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--method", "half"), "'half' is not NAME=FOLDER"),
        (("--method", "half=half", "--method", "half=faint"), "'half' is there twice"),
        (("--method", "half=nowhere"), "'nowhere' is not a folder"),
        (("--method", "half=half", "--exposure", "nan"), "not a finite number"),
        (("--method", "half=half", "--consent", "true/0.png"), "not a text file in UTF-8"),
        (("--method", "half=half", "--consent", "blank.txt"), "consent: blank"),
        (("--method", "half=half", "--title", " "), "title: blank"),
        (("--method", "half=half", "--title", "\udcff"), "title: blank, or holds what is not text"),
        (("--method", "\udcff=half"), "blank, or holds what is not text"),
    ],
)
def test_wrong_options_are_refused_by_name(tintype, tmp_path, options, told):
    (tmp_path / "blank.txt").write_bytes(b"\xef\xbb\xbf \n")
    done = tintype("new", "mine", "--true", "true", *options)
    assert done.exit_code == 2
    assert told in done.stderr


def test_pictures_that_are_the_true_ones_are_warned_of(tintype):
    done = tintype(*NEW, "--method", "copy=true", *SMALL)
    assert done.exit_code == 0
    assert done.stderr.splitlines()[0] == (
        "true: 8 of the 8 pictures are the true ones, pixel for pixel; is this the right folder?"
    )


@pytest.mark.parametrize("verb", ["serve", "results"])
@pytest.mark.parametrize("damage", [lambda text: text[:-50], lambda text: text.replace('"trials": 4', '"trials": "4"')])
def test_damaged_settings_are_one_line(tintype, tmp_path, verb, damage):
    tintype(*NEW, *SMALL)
    settings = tmp_path / "mine" / "study.json"
    settings.write_text(damage(settings.read_text()))
    (tmp_path / "mine" / "study.db").touch()
    done = tintype(verb, "mine")
    assert done.exit_code == 2
    assert done.stderr == "Error: mine/study.json: damaged; put back the file that `tintype study new` wrote\n"


@pytest.mark.parametrize("verb", ["serve", "results"])
def test_a_folder_that_is_no_study_is_told_in_one_line(tintype, verb):
    done = tintype(verb, "true")
    assert done.exit_code == 2
    assert done.stderr == "Error: true: not a study; `tintype study new` makes one\n"


def test_results_are_a_table_json_and_a_page(tintype, tmp_path):
    tintype(*NEW, *SMALL)
    study, storage = read_study(tmp_path / "mine"), Storage(tmp_path / "mine")
    for number in range(4):
        judge(storage, study, f"{number}", [False, False, True, False, False, False])
    storage.close()

    table = tintype("results", "mine", "--report", "page.html")
    assert table.exit_code == 0
    lines = table.stdout.splitlines()
    assert lines[1].split() == ["half", "2", "8", "25.0", "%", "25.0", "to", "25.0", "%", "25.0", "%"]
    assert "4 began, 4 finished, 0 left out" in table.stdout
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")

    found = json.loads(tintype("results", "mine", "--json").stdout)
    assert found["methods"]["faint"]["fooled_percent"] == 25.0
    assert found["visitors"] == {"begun": 4, "finished": 4, "counted": 4, "excluded": []}


def test_an_answer_of_the_database_is_one_line(tintype):
    tintype(*NEW, *SMALL)
    done = tintype("results", "mine", "--database", "sqlite:////nowhere/at/all.db")
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_told_in_one_line(tintype):
    import socket

    tintype(*NEW, *SMALL)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = tintype("serve", "mine", "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 2
    assert "Address already in use" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_results_of_a_study_without_answers_make_no_database(tintype, tmp_path):
    tintype(*NEW, *SMALL)
    done = tintype("results", "mine")
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: mine/study.db: no answers here")
    assert not (tmp_path / "mine" / "study.db").exists()


def test_a_study_whose_pictures_are_gone_is_not_served(tintype, tmp_path):
    tintype(*NEW, *SMALL)
    for path in (tmp_path / "mine" / "pictures").iterdir():
        path.unlink()
    done = tintype("serve", "mine", "--port", "0")
    assert done.exit_code == 2
    assert done.stderr.rstrip().endswith("is missing; make the study anew")


def test_a_report_that_cannot_be_written_loses_no_results(tintype, tmp_path):
    tintype(*NEW, *SMALL)
    storage = Storage(tmp_path / "mine")
    judge(storage, read_study(tmp_path / "mine"), "one", [False] * 6)
    storage.close()
    done = tintype("results", "mine", "--json", "--report", "nowhere/report.html")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["visitors"]["begun"] == 1
    assert len(done.stderr.splitlines()) == 1
