"""`tintype labels` as a person meets it."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from tintype.cli import main
from tintype.data.study_file import read_study

CATS_AND_THINGS = ("n02123045", "n02124075", "n04067472", "n04540053")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for synset in CATS_AND_THINGS:
        for number in range(10):
            path = tmp_path / "photos" / synset / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8)).save(path)
    (tmp_path / "kinds.tsv").write_text(
        "".join(f"{synset}\tkind{n // 3}\n" for n, synset in enumerate(CATS_AND_THINGS))
    )
    return tmp_path


def made(*arguments):
    done = tintype(*arguments, "--data", "photos", "-o", "made.tsv")
    assert done.exit_code == 0, done.stderr
    return read_study(Path("made.tsv"))


def tintype(*arguments):
    done = CliRunner().invoke(main, ["labels", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_a_subset_is_a_file_that_says_how_it_was_made(place):
    done = tintype("subset", "--per-class", "3", "--data", "photos", "-o", "few.tsv")
    assert (done.exit_code, done.stdout) == (0, "few.tsv\n")
    lines = (place / "few.tsv").read_text().splitlines()
    about = ["subset: 3 images of each class, seed 0", "12 images, 4 labels, 3 images of each"]
    assert done.stderr.splitlines() == about
    assert lines[:3] == [*(f"# {line}" for line in about), "image\tlabel"]
    assert len(lines) == 15
    assert all(line.split("\t")[0].startswith(line.split("\t")[1] + "/") for line in lines[3:])


def test_noise_keeps_the_true_label_beside_the_wrong_one(place):
    assert tintype("noise", "--share", "0.25", "--data", "photos", "-o", "e25.tsv", "--seed", "3").exit_code == 0
    study = read_study(place / "e25.tsv")
    assert sum(a != b for a, b in zip(study.labels, study.true, strict=True)) == 10


def test_what_is_set_aside_is_in_the_file_without_a_label(place):
    few = ("subset", "--per-class", "3", "--held-out", "0.3", "--data", "photos", "-o", "few.tsv")
    done = tintype(*few)
    assert done.exit_code == 0, done.stderr
    study = read_study(place / "few.tsv")
    assert sum(map(bool, study.labels)) == 12
    apart = sum(not label for label in study.labels)
    assert 5 < apart < 20
    assert done.stderr.splitlines()[-1].startswith(f"{apart} other images are held out")
    assert [image.split("/")[0] for image in study.images] == list(study.true)


def test_random_buckets_and_those_of_wordnet_and_of_a_file(place):
    assert tintype("random", "--buckets", "2", "--data", "photos", "-o", "r2.tsv").exit_code == 0
    assert set(read_study(place / "r2.tsv").labels) == {"random-0", "random-1"}
    done = tintype("hierarchy", "--buckets", "2", "--data", "photos", "-o", "h2.tsv")
    assert done.exit_code == 0, done.stderr
    assert set(read_study(place / "h2.tsv").labels) == {"domestic cat", "instrumentality"}
    assert (
        tintype("hierarchy", "--buckets", "2", "--tree", "kinds.tsv", "--data", "photos", "-o", "k2.tsv").exit_code == 0
    )
    assert {*read_study(place / "k2.tsv").labels} == {"kind0", "n04540053"}


def test_a_study_can_be_made_of_another(place):
    tintype("subset", "--images", "8", "--data", "photos", "-o", "few.tsv")
    assert tintype("noise", "--share", "0.5", "--data", "photos", "--labels", "few.tsv", "-o", "n.tsv").exit_code == 0
    assert len(read_study(place / "n.tsv").images) == 8


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["subset"], 2, "Error: Give either --per-class or --images."),
        (["subset", "--per-class", "11"], 1, "Error: class n02123045 has 10 images, fewer than 11"),
        (["noise", "--share", "nan"], 2, "Error: Invalid value for '--share': nan is not a finite number."),
        (["noise", "--share", "1"], 2, "Error: Invalid value for '--share': 1.0 is not in the range"),
        (["random", "--buckets", "5"], 1, "Error: 4 classes cannot be put into 5 buckets"),
        (["hierarchy", "--buckets", "2", "--tree", "no.tsv"], 1, "Error: no.tsv: cannot be read (No such file"),
        (["noise", "--share", "0.1", "--labels", "no.tsv"], 1, "Error: no.tsv: cannot be read (No such file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(place, arguments, code, message):
    done = tintype(*arguments, "--data", "photos", "-o", "out.tsv")
    assert done.exit_code == code, done.output
    assert done.stderr.splitlines()[-1].startswith(message)
    assert not (place / "out.tsv").exists()


def test_a_file_that_is_there_is_not_replaced(place):
    (place / "out.tsv").write_text("mine")
    done = tintype("random", "--buckets", "2", "--data", "photos", "-o", "out.tsv")
    assert (done.exit_code, done.stderr) == (1, "Error: out.tsv is there already: give another name, or remove it\n")
    assert (place / "out.tsv").read_text() == "mine"


def test_classes_that_wordnet_lacks_are_told(place):
    (place / "photos" / "n04540053").rename(place / "photos" / "garden")
    done = tintype("hierarchy", "--buckets", "2", "--data", "photos", "-o", "h2.tsv")
    assert (done.exit_code, done.stderr) == (
        1,
        "Error: WordNet 3.0: has no class garden (--tree FILE gives another tree)\n",
    )
