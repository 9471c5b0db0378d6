import json

import pytest

from study.small import settings
from tintype.study.errors import StudyError
from tintype.study.folder import read_study, write_study

DAMAGED = ["", "[]", "{}", "5", "null", '{"format": 1}', '{"format": 2}', '{"format": 1, "pictures": 5}', "[" * 100_000]


@pytest.mark.parametrize("text", DAMAGED, ids=lambda text: text[:30])
def test_damaged_settings_are_told_in_one_line(tmp_path, text):
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(StudyError, match=r"study\.json") as caught:
        read_study(tmp_path)
    assert "\n" not in str(caught.value)


def test_settings_that_were_cut_off_are_damaged(tmp_path):
    write_study(tmp_path, settings())
    assert read_study(tmp_path) == settings()
    whole = (tmp_path / "study.json").read_bytes()
    for length in range(0, len(whole), 97):
        (tmp_path / "study.json").write_bytes(whole[:length])
        with pytest.raises(StudyError, match="damaged"):
            read_study(tmp_path)


WRONG = [
    ("title", [5, None, " ", "\ud800", "a\0"]),
    ("consent", [[], "\n", "\ufeff"]),
    ("practice", ["2", 2.0, True, -1, 5, None]),
    ("trials", ["4", 0, 7, 4.0, [4]]),
    ("exposure", ["1", 0, -1, True, float("nan"), float("inf"), None]),
    ("seed", ["1", 1.5, -1, None]),
    ("token", ["", "a/b", 5, None, "\u00e9"]),
    ("methods", [[], "half", ["half"], ["half", "half"], ["half", 5], ["half", "faint", "more"], {}, None]),
    ("pictures", [[], {}, [5] * 8, [{}] * 8, None]),
    ("more", [1]),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG for value in values])
def test_a_setting_that_makes_no_sense_is_damage(tmp_path, name, value):
    write_study(tmp_path, settings())
    written = json.loads((tmp_path / "study.json").read_text())
    (tmp_path / "study.json").write_text(json.dumps(written | {name: value}))
    with pytest.raises(StudyError, match="damaged"):
        read_study(tmp_path)


@pytest.mark.parametrize(
    "change", [{"true": "../study.json"}, {"true": 5}, {"methods": {}}, {"methods": []}, {"name": 1}]
)
def test_a_picture_that_makes_no_sense_is_damage(tmp_path, change):
    write_study(tmp_path, settings())
    written = json.loads((tmp_path / "study.json").read_text())
    written["pictures"][7] |= change
    (tmp_path / "study.json").write_text(json.dumps(written))
    with pytest.raises(StudyError, match="damaged"):
        read_study(tmp_path)
