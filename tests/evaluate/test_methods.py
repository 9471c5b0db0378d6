import shutil

import numpy as np
import pytest
from PIL import Image
from skimage.color import lab2rgb, rgb2lab

from tintype.evaluate import Pictures, random_colours, read_photograph
from tintype.evaluate.methods import with_colours
from tintype.runtime.errors import PhotoError


def test_foreign_colours_keep_the_lightness_and_bring_the_ab_of_scikit_image(random_picture):
    grey, colours = random_picture(1, 20, 30)[..., 0], random_picture(2, 20, 30) // 8 + 112
    lab = rgb2lab(colours)
    lab[..., 0] = rgb2lab(np.repeat(grey[..., None], 3, axis=-1))[..., 0]
    expected = np.rint(255 * np.clip(lab2rgb(lab), 0, 1))
    np.testing.assert_allclose(with_colours(grey, colours), expected, atol=1)


def test_random_colours_are_those_of_another_photograph_and_follow_from_the_seed(photographs):
    paths = sorted(photographs.iterdir())
    photos = [read_photograph(path) for path in paths]
    first, again, *others = (random_colours(paths, seed, photographs) for seed in (0, 0, 1, 2, 3, 4))
    for photo in photos:
        np.testing.assert_array_equal(first(photo), again(photo))
        assert np.abs(first(photo).astype(int) - photo.true).mean() > 10
    assert any((first(photo) != other(photo)).any() for photo in photos for other in others)


def test_random_colours_do_not_depend_on_where_the_folder_lies(photographs, tmp_path):
    elsewhere = shutil.copytree(photographs, tmp_path / "elsewhere")
    for path in sorted(photographs.iterdir()):
        one, other = (
            random_colours(sorted(root.iterdir()), root=root)(read_photograph(root / path.name))
            for root in (photographs, elsewhere)
        )
        np.testing.assert_array_equal(one, other)


def test_every_photograph_gives_its_colours_once(tmp_path):
    for name, colour in {"r": (200, 20, 20), "g": (20, 200, 20), "b": (20, 20, 200)}.items():
        Image.new("RGB", (8, 8), colour).save(tmp_path / f"{name}.png")
    paths = sorted(tmp_path.iterdir())
    method = random_colours(paths, 1)
    hues = [tuple(np.sign(rgb2lab(method(read_photograph(path)))[0, 0, 1:]).astype(int)) for path in paths]
    assert len(set(hues)) == 3


def test_random_colours_pass_over_what_cannot_be_read(photographs):
    paths = sorted(photographs.iterdir())
    for path in paths[1:3]:
        path.write_bytes(b"no")
    photo = read_photograph(paths[0])
    last = np.asarray(Image.open(paths[3]).resize((9, 10), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(random_colours(paths)(photo), with_colours(photo.grey, last))


def test_one_photograph_alone_has_no_random_colours(photographs):
    path = photographs / "0.png"
    with pytest.raises(PhotoError, match="no other photograph"):
        random_colours([path])(read_photograph(path))


@pytest.fixture
def theirs(tmp_path, photographs):
    """What another program made: the photographs upside down."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    for path in photographs.iterdir():
        Image.open(path).rotate(180).save(folder / path.with_suffix(".bmp").name)
    return folder


def test_pictures_of_another_program_are_matched_by_name_whatever_the_suffix(photographs, theirs):
    paths = sorted(photographs.iterdir())
    method = Pictures(theirs, paths, photographs)
    for path in paths:
        photo = read_photograph(path)
        np.testing.assert_array_equal(method(photo), photo.true[::-1, ::-1])


def test_pictures_are_resized_as_their_photographs(photographs, theirs):
    path = photographs / "1.png"
    method = Pictures(theirs, [path], photographs)
    expected = Image.open(theirs / "1.bmp").resize((256, 256), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(method(read_photograph(path, square=True)), np.asarray(expected))


def test_pictures_may_have_the_protocols_size_already(photographs, theirs, random_picture):
    picture = random_picture(5, 256, 256)
    Image.fromarray(picture).save(theirs / "1.bmp")
    path = photographs / "1.png"
    np.testing.assert_array_equal(Pictures(theirs, [path], photographs)(read_photograph(path, square=True)), picture)


def test_a_picture_of_another_size_is_told_with_both_sizes(photographs, theirs, random_picture):
    Image.fromarray(random_picture(5, 5, 6)).save(theirs / "1.bmp")
    path = photographs / "1.png"
    with pytest.raises(PhotoError, match=r"1\.bmp: is 6 x 5, the photograph 9 x 11"):
        Pictures(theirs, [path], photographs)(read_photograph(path))


def test_a_missing_picture_is_told_of_its_photograph(photographs, theirs):
    (theirs / "1.bmp").unlink()
    paths = sorted(photographs.iterdir())
    with pytest.raises(PhotoError, match=r"1\.png: .*theirs has none of this name"):
        Pictures(theirs, paths, photographs)(read_photograph(paths[1]))


def test_a_folder_without_a_single_match_is_refused(photographs, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: no picture here"):
        Pictures(tmp_path / "empty", sorted(photographs.iterdir()), photographs)


def test_photographs_of_one_name_in_two_folders_are_told_apart_by_place(tmp_path):
    for place, colour in {"a": "red", "b": "blue"}.items():
        for root in ("photos", "theirs"):
            (tmp_path / root / place).mkdir(parents=True)
            Image.new("RGB", (8, 8), colour).save(tmp_path / root / place / "1.png")
    paths = sorted((tmp_path / "photos").rglob("*.png"))
    method = Pictures(tmp_path / "theirs", paths, tmp_path / "photos")
    for path in paths:
        photo = read_photograph(path)
        np.testing.assert_array_equal(method(photo), photo.true)


def test_a_photograph_is_never_given_the_picture_of_another(tmp_path, random_picture):
    """Two photographs differ in their suffix alone; of one of them there is a picture."""
    photos, theirs = tmp_path / "photos", tmp_path / "theirs"
    photos.mkdir()
    theirs.mkdir()
    for seed, name in enumerate(("a.png", "a.bmp")):
        Image.fromarray(random_picture(seed, 9, 9)).save(photos / name)
    paths = sorted(photos.iterdir())
    shutil.copy(photos / "a.png", theirs)
    method = Pictures(theirs, paths, photos)
    png, bmp = read_photograph(photos / "a.png"), read_photograph(photos / "a.bmp")
    np.testing.assert_array_equal(method(png), png.true)
    with pytest.raises(PhotoError, match=r"a\.bmp: .* one for several photographs"):
        method(bmp)
    shutil.copy(photos / "a.bmp", theirs)
    both = Pictures(theirs, paths, photos)
    for photo in (png, bmp):
        np.testing.assert_array_equal(both(photo), photo.true)
