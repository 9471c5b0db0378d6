"""What a page may choose, and what is refused."""

import json

import pytest
from starlette.exceptions import HTTPException

from tintype.runtime.hints import Hint
from tintype.web.choices import Choices, read_choices


def test_nothing_is_the_usual():
    assert read_choices(b"") == read_choices(b"{}") == Choices()


def test_all_of_it():
    told = {
        "hints": [{"y": 0.5, "x": 1, "a": -20, "b": 3.5}],
        "alternative": 4,
        "temperature": 0.1,
        "saturation": 0,
        "suffix": ".tif",
        "depth": 16,
    }
    expected = Choices((Hint(0.5, 1, -20, 3.5),), 4, 0.1, 0, ".tif", 16)
    assert read_choices(json.dumps(told).encode()) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "JSON object"),
        (b"\xff", "JSON object"),
        (b"[" * 100_000, "JSON object"),
        (b'{"colour": 1}', "unknown: 'colour'"),
        (b'{"\\ud800": 1, "a\\nb": 2}', r"unknown: 'a\nb', '\ud800'"),
        (b'{"hints": 3}', "hints: a list"),
        (json.dumps({"hints": [{"y": 0, "x": 0, "a": 0, "b": 0}] * 201}).encode(), "at most 200"),
        (b'{"hints": [{"y": 0, "x": 0, "a": 0}]}', "a hint has"),
        (b'{"hints": [{"y": 2, "x": 0, "a": 0, "b": 0}]}', "y: a number from 0 to 1"),
        (b'{"hints": [{"y": 0, "x": 0, "a": NaN, "b": 0}]}', "a: a number from -128 to 128"),
        (b'{"hints": [{"y": 0, "x": 0, "a": true, "b": 0}]}', "a: a number"),
        (b'{"alternative": 5}', "alternative: a whole number"),
        (b'{"alternative": true}', "alternative: a whole number"),
        (b'{"temperature": 0}', "temperature: a number"),
        (b'{"saturation": "much"}', "saturation: a number"),
        (b'{"saturation": null}', "saturation: a number"),
        (b'{"suffix": ".exe"}', "suffix: one of"),
        (b'{"suffix": 3}', "suffix: one of"),
        (b'{"depth": 16}', "depth: 8, or 16"),
        (b'{"depth": 16, "suffix": ".jpg"}', "depth: 8, or 16"),
        (b'{"depth": 12, "suffix": ".png"}', "depth: 8, or 16"),
    ],
)
def test_anything_else_is_refused_in_one_line(body, message):
    with pytest.raises(HTTPException) as caught:
        read_choices(body)
    assert caught.value.status_code == 400
    assert message in caught.value.detail
    assert "\n" not in caught.value.detail
