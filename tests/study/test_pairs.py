import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from study.small import colours, faded, folders
from tintype.study.errors import StudyError
from tintype.study.folder import read_study
from tintype.study.make import _consent, make_study
from tintype.study.pairs import is_grey, square


@pytest.fixture
def place(tmp_path):
    return tmp_path


def _make(place, true, methods, **options):
    made = make_study(place / "study", true, methods, **{"practice": 2, "trials": 4, **options})
    return made.study, made.left_out


def test_every_picture_is_256_square_under_a_name_that_tells_nothing(place):
    study, left_out = _make(place, *folders(place))
    assert left_out == {}
    assert len(study.pictures) == 8
    named = {file for picture in study.pictures for file in (picture.true, *picture.methods.values())}
    files = {path.name: path for path in (place / "study" / "pictures").iterdir()}
    assert named == set(files)
    assert len(files) == 24
    for name, path in files.items():
        assert re.fullmatch(r"[0-9a-f]{32}\.png", name)
        with Image.open(path) as picture:
            assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (256, 256))
            picture.verify()


def test_the_length_of_a_file_does_not_tell_the_made_up_one(place):
    study, _ = _make(place, *folders(place))
    for picture in study.pictures:
        versions = [picture.true, *picture.methods.values()]
        assert len({(place / "study" / "pictures" / file).stat().st_size for file in versions}) == 1


def test_the_settings_are_read_as_they_were_written(place):
    study, _ = _make(place, *folders(place), title="Wörter", consent="Yes?", seed=5, exposure=0.5)
    assert read_study(place / "study") == study
    assert (study.title, study.consent, study.seed, study.exposure) == ("Wörter", "Yes?", 5, 0.5)


def test_the_middle_is_shown_as_pillow_crops_and_reduces_it():
    rgb = np.asarray(Image.fromarray(colours(3)).resize((700, 512), Image.Resampling.BICUBIC))
    middle = Image.fromarray(rgb).crop((94, 0, 606, 512))  # (700 - 512) / 2 = 94
    expected = np.asarray(middle.resize((256, 256), Image.Resampling.LANCZOS))
    inside = slice(4, -4)  # at the rim, what lies beyond the crop is weighed in
    assert np.abs(square(rgb).astype(int) - expected)[inside, inside].max() <= 1


def test_files_match_by_name_whatever_their_suffix(place):
    true, methods = folders(place)
    for path in list(methods["half"].iterdir()):
        Image.open(path).save(path.with_suffix(".webp"), lossless=True)
        path.unlink()
    assert len(_make(place, true, methods)[0].pictures) == 8


def test_what_one_method_lacks_is_left_out_of_all_and_said(place):
    true, methods = folders(place)
    (methods["faint"] / "3.png").unlink()
    study, left_out = _make(place, true, methods)
    assert [picture.name for picture in study.pictures] == [f"{n}.png" for n in (0, 1, 2, 4, 5, 6, 7)]
    assert list(left_out.values()) == [f"{true}/3.png: left out of every method, as it is not in {methods['faint']}"]


@pytest.mark.parametrize("whose", ["true", "half"])
def test_a_damaged_picture_is_left_out_of_all_and_said(place, whose):
    true, methods = folders(place)
    broken = {"true": true, **methods}[whose] / "3.png"
    broken.write_bytes(broken.read_bytes()[:200])
    study, left_out = _make(place, true, methods)
    assert len(study.pictures) == 7
    assert str(broken) in left_out[str(true / "3.png")]


def test_a_picture_of_another_size_is_left_out_and_said(place):
    true, methods = folders(place)
    Image.fromarray(colours(3, (41, 32))).save(methods["half"] / "3.png")
    study, left_out = _make(place, true, methods)
    assert len(study.pictures) == 7
    assert "41 x 32 pixels, but the photograph" in left_out[str(true / "3.png")]


def test_a_grey_photograph_is_left_out_and_said(place):
    true, methods = folders(place)
    noise = np.random.default_rng(0).integers(-2, 3, (32, 40, 3))  # as a JPEG has it
    Image.fromarray((faded(colours(3), 0) + noise).clip(0, 255).astype(np.uint8)).save(true / "3.png")
    study, left_out = _make(place, true, methods)
    assert len(study.pictures) == 7
    assert "a grey picture" in left_out[str(true / "3.png")]


def test_a_pale_photograph_is_not_grey():
    assert is_grey(faded(colours(0), 0.0))
    assert not is_grey(faded(colours(0), 0.2))


@pytest.mark.parametrize("when", ["at once", "after reading"])
def test_too_few_pictures_are_refused_with_how_many_are_needed_and_nothing_is_left(place, when):
    true, methods = folders(place, 6)
    if when == "after reading":
        (true / "3.png").write_bytes(b"broken")
    with pytest.raises(StudyError, match=r"2 practice and \d test pairs need \d pictures, but there are [56]"):
        _make(place, true, methods, trials=5 if when == "at once" else 4)
    assert not (place / "study").exists()


def test_a_folder_that_is_there_is_not_touched(place):
    (place / "study").mkdir()
    (place / "study" / "mine.txt").write_text("mine")
    with pytest.raises(StudyError, match="is there already"):
        _make(place, *folders(place))
    assert (place / "study" / "mine.txt").read_text() == "mine"


def test_two_files_of_one_name_are_refused(place):
    true, methods = folders(place)
    shutil.copy(true / "3.png", true / "3.bmp")
    with pytest.raises(StudyError, match="have one name"):
        _make(place, true, methods)


@pytest.mark.parametrize(("pairs", "told"), [(6, "about a minute."), (50, "about 5 minutes.")])
def test_the_consent_tells_how_long_it_takes(pairs, told):
    assert told in _consent(pairs, 1.0)


@pytest.mark.parametrize("blank", ["", " \n\t", "\ufeff\u200b", "\udcff", "a\0"])
@pytest.mark.parametrize("what", ["title", "consent"])
def test_a_text_that_nobody_can_read_is_refused_before_anything_is_made(place, what, blank):
    with pytest.raises(StudyError, match=f"^{what}: blank") as caught:
        _make(place, *folders(place), **{what: blank})
    assert "\n" not in str(caught.value)
    assert not (place / "study").exists()


def test_pictures_that_are_the_true_ones_are_counted(place):
    true, methods = folders(place)
    shutil.copy(true / "3.png", methods["half"])
    Image.open(true / "4.png").save(methods["half"] / "4.png", compress_level=0)  # other bytes, the same pixels
    made = make_study(place / "study", true, methods | {"true": true}, practice=2, trials=4)
    assert made.same == {"half": 2, "true": 8}


def test_pictures_of_one_name_in_two_folders_are_two(place):
    true, methods = folders(place, pictures=0)
    for number, inside in enumerate(("x", "y", "x", "y")):
        for folder, much in ((true, 1.0), (methods["half"], 0.5), (methods["faint"], 0.2)):
            (folder / inside).mkdir(exist_ok=True)
            Image.fromarray(faded(colours(number), much)).save(folder / inside / f"{number // 2}.png")
    study, _ = _make(place, true, methods, practice=0, trials=4)
    assert [picture.name for picture in study.pictures] == ["x/0.png", "x/1.png", "y/0.png", "y/1.png"]


def test_a_name_that_is_not_text_is_written_as_escapes(place):
    true, methods = folders(place)
    for folder in (true, *methods.values()):
        os.rename(folder / "0.png", os.fsencode(folder) + b"/\xff.png")
    study, _ = _make(place, true, methods)
    assert "\\udcff.png" in [picture.name for picture in study.pictures]
    assert read_study(place / "study") == study
