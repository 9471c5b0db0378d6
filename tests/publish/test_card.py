"""Model cards: what the Hub reads in them, and what people do."""

import re
from pathlib import Path

import pytest
import yaml

from tintype.publish import Layout
from tintype.publish.card import front_matter, is_unedited, make_card, sign

BUNDLE = {
    "trunk": "timm:tf_efficientnet_lite0",
    "head": "pyramid",
    "objective": "bins",
    "input_size": 192,
    "recipe": "bundled",
    "data": "38,849 photographs | of\nmany kinds",
    "steps": 9000,
    "license": "Apache-2.0",
    "figures": {"auc": 89.4234, "strange": 0.123456},
    "previous": {"auc": 88.97},
    "versions": {"tintype": "0.1.0"},
}
WEIGHTS = {"trunk": "alexnet", "objective": "bins", "recipe": "larsson17", "steps": 10}


def bundle(**changes):
    return Layout(Path("mine.onnx"), "model.onnx", BUNDLE | changes)


def weights(**changes):
    return Layout(Path("weights.safetensors"), "model.safetensors", WEIGHTS | changes)


def read(text):
    """The front matter as a YAML parser reads it, and what follows."""
    _, head, body = re.split(r"^---\n", text, maxsplit=2, flags=re.MULTILINE)
    return yaml.safe_load(head), body


def test_the_front_matter_says_what_the_hub_sorts_by():
    assert read(front_matter(bundle()))[0] == {
        "license": "apache-2.0",
        "library_name": "tintype",
        "pipeline_tag": "image-to-image",
        "tags": ["colorization", "onnx", "tf_efficientnet_lite0"],
    }
    assert read(front_matter(weights()))[0] == {
        "license": "unknown",
        "library_name": "tintype",
        "pipeline_tag": "image-feature-extraction",
        "tags": ["colorization", "self-supervised-learning", "safetensors", "alexnet"],
    }
    assert "colorization" not in read(front_matter(weights(objective="classification")))[0]["tags"]


@pytest.mark.parametrize(
    ("spdx", "told"),
    [
        ("MIT", {"license": "mit"}),
        ("CC-BY-SA-4.0", {"license": "cc-by-sa-4.0"}),
        ("GPL-3.0-or-later", {"license": "gpl-3.0"}),
        ("AGPL-3.0-only", {"license": "agpl-3.0"}),
        ("LicenseRef-ours: no 1", {"license": "other", "license_name": "licenseref-ours-no-1"}),
        ("no", {"license": "other", "license_name": "no"}),
        ("???", {"license": "other", "license_name": "unnamed"}),
    ],
)
def test_licences_are_told_as_the_hub_knows_them(spdx, told):
    found, _ = read(front_matter(bundle(license=spdx)))
    assert {key: value for key, value in found.items() if key.startswith("license")} == told


def test_what_the_hub_reads_is_valid_by_its_own_library():
    from huggingface_hub import ModelCardData

    found, _ = read(front_matter(bundle()))
    assert ModelCardData(**found).to_dict() == found


def test_the_card_has_how_to_use_it_and_its_figures():
    _, body = read(make_card(bundle(), "me/mine"))
    assert "tintype colorize old.jpg --model me/mine\n" in body
    assert 'Colorizer("me/mine")' in body
    assert "| AuC % | 89.42 | 88.97 |\n" in body
    assert "| strange | 0.1235 |  |\n" in body
    assert r"| trained on | 38,849 photographs \| of many kinds |" in body
    assert "no evidence" in body


def test_the_card_of_weights_is_for_who_learns_further():
    _, body = read(make_card(weights(), "me/mine"))
    assert "tintype transfer linear --weights me/mine " in body
    assert "--set pretrained=me/mine\n" in body
    assert "tintype colorize" not in body
    assert "## Figures" not in body


def test_a_card_that_was_changed_is_known():
    card = make_card(bundle(), "me/mine")
    assert is_unedited(card)
    assert is_unedited(sign("anything"))
    for other in (card.replace("89.42", "99.42"), card + "\nMine.\n", "# Mine\n", "", card[:-1], "More.\n" + card):
        assert not is_unedited(other)
