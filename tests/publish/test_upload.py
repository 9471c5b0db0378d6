"""Folders, and repositories on a Hub of the test's own."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from runtime.conftest import save_bundle
from runtime.hub_server import TOKEN
from tintype.publish import PublishError, push, read_layout, upload, write_folder
from tintype.publish.card import make_card
from tintype.runtime import Colorizer
from tintype.runtime.hub import WEIGHTS, from_hub


@pytest.fixture
def layout(tmp_path):
    return read_layout(str(save_bundle(tmp_path / "mine.onnx")))


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, path, metadata={"tintype": '{"trunk": "alexnet"}'})
    return read_layout(str(path))


@pytest.fixture
def logged_in(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return hub


def expected(layout, repository="me/mine"):
    return {
        layout.name: layout.source.read_bytes(),
        "config.json": json.dumps(layout.metadata, indent=2).encode() + b"\n",
        "README.md": make_card(layout, repository).encode(),
    }


def test_a_folder_gets_what_a_repository_would(layout, tmp_path):
    folder = tmp_path / "new" / "mine"
    done = write_folder(layout, "me/mine", folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == expected(layout)
    assert (done.place, done.kept_card) == (str(folder), False)


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # huggingface_hub's own
@pytest.mark.parametrize("large", [False, True])
def test_what_was_pushed_can_be_loaded(large, logged_in, layout):
    grey = np.arange(96 * 64, dtype=np.uint8).reshape(96, 64)
    logged_in.large = large
    done = push(layout, "me/mine", message="Better reds")
    repository = logged_in.repositories["me/mine"]
    commit, files = repository.at("main")
    assert {name: files[name] for name in files if name != ".gitattributes"} == expected(layout)
    assert (done.place, done.kept_card) == (f"{logged_in.url}/me/mine/commit/{commit}", False)
    assert repository.messages[-1] == "Better reds"
    assert not repository.private
    assert len(repository.commits) == 2  # the one that made it, and this
    assert any("/info/lfs/" in request for request in logged_in.asked) == large
    assert Colorizer("me/mine", threads=1)(grey) == Colorizer(layout.source, threads=1)(grey)


def test_weights_are_pushed_and_fetched_under_their_own_name(logged_in, weights):
    push(weights, "me/mine")
    assert from_hub("me/mine", WEIGHTS).read_bytes() == weights.source.read_bytes()


def test_a_private_repository_is_private_from_the_start(logged_in, layout):
    push(layout, "me/mine", private=True)
    assert logged_in.repositories["me/mine"].private
    push(layout, "me/mine", private=True)


def test_nothing_private_is_put_into_a_public_repository(logged_in, layout):
    repository = logged_in.add("me/mine", {})
    with pytest.raises(PublishError, match="me/mine: is there already, and public"):
        push(layout, "me/mine", private=True)
    assert len(repository.commits) == 1


def test_a_branch_is_made_and_main_left_alone(logged_in, layout):
    repository = logged_in.add("me/mine", {"notes.txt": b"mine"})
    for _ in range(2):
        push(layout, "me/mine", branch="a/branch")
    assert repository.at("a/branch")[1] == expected(layout) | {"notes.txt": b"mine"}
    assert repository.at("main")[1] == {"notes.txt": b"mine"}


def _folder(tmp_path, card):
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "README.md").write_bytes(card)
    return folder


def test_a_card_that_somebody_wrote_is_left_as_it_is(logged_in, layout, tmp_path):
    mine = make_card(layout, "me/mine").replace("Colours are guesses", "Colours are facts").encode()
    folder = _folder(tmp_path, mine)
    logged_in.add("me/mine", {"README.md": mine})
    assert write_folder(layout, "me/mine", folder).kept_card
    assert push(layout, "me/mine").kept_card
    assert (folder / "README.md").read_bytes() == mine
    assert logged_in.repositories["me/mine"].at("main")[1] == expected(layout) | {"README.md": mine}


def test_a_card_that_tintype_wrote_is_written_anew(logged_in, layout, weights, tmp_path):
    old = make_card(weights, "me/mine").encode()
    folder = _folder(tmp_path, old)
    logged_in.add("me/mine", {"README.md": old})
    assert not write_folder(layout, "me/mine", folder).kept_card
    assert not push(layout, "me/mine").kept_card
    assert (folder / "README.md").read_bytes() == expected(layout)["README.md"]
    assert logged_in.repositories["me/mine"].at("main")[1] == expected(layout)


def test_a_card_that_is_given_takes_the_place_of_any(logged_in, layout, tmp_path):
    logged_in.add("me/mine", {"README.md": b"# Theirs\n"})
    card = tmp_path / "card.md"
    card.write_text("# Mine\n")
    assert not push(layout, "me/mine", card=card).kept_card
    found = logged_in.repositories["me/mine"].at("main")[1]["README.md"].decode()
    assert found.startswith("---\nlicense: cc0-1.0\n")
    assert found.endswith("---\n\n# Mine\n")
    card.write_text("---\nlicense: mit\n---\n# Mine\n")
    push(layout, "me/mine", card=card)
    assert logged_in.repositories["me/mine"].at("main")[1]["README.md"] == card.read_bytes()


def test_two_kinds_of_model_do_not_share_a_config(logged_in, layout, weights, tmp_path):
    push(layout, "me/mine")
    write_folder(layout, "me/mine", tmp_path / "there")
    for refused in (lambda: push(weights, "me/mine"), lambda: write_folder(weights, "me/mine", tmp_path / "there")):
        with pytest.raises(PublishError, match=r"holds model.onnx, which config.json there tells of"):
            refused()
    push(weights, "me/mine-weights")


def test_what_comes_between_is_not_written_over(logged_in, layout, monkeypatch):
    repository = logged_in.add("me/mine", {"README.md": b"# Theirs\n"})
    files = upload._files

    def meanwhile(*given):
        repository.commit({"README.md": b"# Changed\n"})
        return files(*given)

    monkeypatch.setattr(upload, "_files", meanwhile)
    with pytest.raises(PublishError, match=r"could not be pushed to the Hub .*A commit has happened since"):
        push(layout, "me/mine")
    assert repository.at("main")[1] == {"README.md": b"# Changed\n"}


def test_what_the_hub_refuses_is_said_in_one_line(hub, layout, monkeypatch):
    def refused(message, repository="me/mine"):
        with pytest.raises(PublishError, match=message) as caught:
            push(layout, repository)
        assert "\n" not in str(caught.value)

    refused("you are not logged in to the Hub: run `hf auth login`")
    assert hub.asked == []
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    refused("the Hub does not accept your token")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    refused("others/theirs: your token gives no right", "others/theirs")
    refused("bad..name", "me/bad..name")
    hub.status = 500
    refused(r"me/mine: could not be pushed to the Hub \(")
    hub.stop()
    refused(r"me/mine: could not be pushed to the Hub \(")


def test_why_a_large_file_was_not_taken_is_said(logged_in, layout, monkeypatch):
    logged_in.large = True

    def broken(*_, **__):
        raise OSError(104, "Connection reset by peer")

    monkeypatch.setattr("huggingface_hub.lfs._upload_single_part", broken)
    with pytest.raises(PublishError, match=r"could not be pushed to the Hub \(.*Connection reset by peer\)"):
        push(layout, "me/mine")
    assert layout.name not in logged_in.repositories["me/mine"].at("main")[1]
