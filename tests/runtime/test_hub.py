"""Models by their names on the Hub, against a Hub of the test's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from runtime.hub_server import TOKEN
from tintype import Colorizer
from tintype.runtime import ModelError
from tintype.runtime.hub import BUNDLE, HubName, from_hub, parse
from tintype.runtime.model import load_model


@pytest.mark.parametrize(
    ("name", "repository", "revision", "file"),
    [
        ("owner/name", "owner/name", "main", BUNDLE),
        ("an-owner/na.me_1.5@v2", "an-owner/na.me_1.5", "v2", BUNDLE),
        ("owner/name@a/branch", "owner/name", "a/branch", BUNDLE),
        ("hf://owner/name", "owner/name", "main", BUNDLE),
        ("hf://owner/name@v2", "owner/name", "v2", BUNDLE),
        ("hf://owner/name/deep/er.onnx", "owner/name", "main", "deep/er.onnx"),
        ("hf://owner/name@a%2Fbranch/small.onnx", "owner/name", "a/branch", "small.onnx"),
        ("hf://owner/name@refs/pr/4/small.onnx", "owner/name", "refs/pr/4", "small.onnx"),
    ],
)
def test_a_name_says_repository_revision_and_file(name, repository, revision, file):
    assert parse(name, BUNDLE) == HubName(repository, revision, file)


def test_what_names_are_read_as_is_what_the_library_reads_them_as():
    uris = pytest.importorskip("huggingface_hub.utils._hf_uris")
    for name in (
        "hf://owner/name@v2",
        "hf://o/n@refs/pr/4/small.onnx",
        "hf://o/n@a%2Fb/deep/er.onnx",
        "hf://o/n/a.onnx",
    ):
        theirs, ours = uris.parse_hf_uri(name), parse(name, "")
        assert (theirs.id, theirs.revision or "main", theirs.path_in_repo) == (
            ours.repository,
            ours.revision,
            ours.file,
        )


@pytest.mark.parametrize(
    "name",
    ["bundled", "./owner/name", "../name", "a/b/c", "/etc/name", "folder/mine.onnx", "runs/w.safetensors", "s3://a/b"],
)
def test_a_path_is_no_name(name):
    assert parse(name, BUNDLE) is None


@pytest.mark.parametrize("name", ["hf://", "hf://owner", "hf://owner/", "hf://owner/name/../x", "hf://owner/name@"])
def test_a_long_name_that_is_wrong_is_refused(name):
    with pytest.raises(ModelError, match="such a name is written hf://owner/name"):
        parse(name, BUNDLE)


def test_what_is_there_on_disk_always_wins(tmp_path, monkeypatch, bundle, hub):
    monkeypatch.chdir(tmp_path)
    Path("owner").mkdir()
    Path("owner/name").write_bytes(bundle.read_bytes())
    assert load_model("owner/name", 1).path == Path("owner/name")
    with pytest.raises(ModelError):  # a slip in the name of a file is not to be asked for on the Hub
        load_model("owner/other", 1)
    assert hub.asked == []


@pytest.mark.parametrize("large", [False, True])
def test_it_is_fetched_once_and_then_used_without_the_hub(large, hub, bundle, grey, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)  # which does not go on to the storage of large files
    hub.large = large
    hub.add("owner/name", {BUNDLE: bundle.read_bytes(), "README.md": b""})
    first = Colorizer("owner/name")
    assert first.model.path.read_bytes() == bundle.read_bytes()
    asked = len(hub.asked)
    again = Colorizer("owner/name", threads=1)
    assert len(hub.asked) == asked
    hub.stop()
    again = Colorizer("owner/name", threads=1)
    assert again.model.path == first.model.path
    assert again(grey) == Colorizer(bundle, threads=1)(grey)


def test_a_new_process_without_the_hub_loads_little_and_asks_nothing(hub, bundle):
    hub.add("owner/name", {BUNDLE: bundle.read_bytes()})
    program = (
        "import sys; from tintype.runtime.model import load_model\n"
        "print(load_model('owner/name', 1).name, sorted({'torch', 'httpx', 'httpx2', 'requests'} & set(sys.modules)))"
    )

    def run():
        return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert run().stdout.startswith("tiny ")
    hub.stop()
    done = run()
    assert (done.stdout, done.stderr) == ("tiny []\n", "")


def test_refreshing_sees_a_new_revision_and_nothing_else_does(hub, bundle, make_bundle, tmp_path):
    repository = hub.add("owner/name", {BUNDLE: bundle.read_bytes()})
    old = from_hub("owner/name", BUNDLE)
    newer = make_bundle(tmp_path / "new.onnx", slope=(0.1, 0.1)).read_bytes()
    commit = repository.commit({BUNDLE: newer})
    assert from_hub("owner/name", BUNDLE) == old
    found = from_hub("owner/name", BUNDLE, refresh=True)
    assert (found.read_bytes(), found.parent.name) == (newer, commit)
    hub.stop()
    assert from_hub("owner/name", BUNDLE) == found
    with pytest.raises(ModelError, match="owner/name: it could not be fetched from the Hub"):
        from_hub("owner/name", BUNDLE, refresh=True)
    assert from_hub("owner/name", BUNDLE) == found


def test_a_refresh_that_breaks_off_leaves_the_old_one_in_use(hub, bundle, monkeypatch):
    repository = hub.add("owner/name", {BUNDLE: bundle.read_bytes()})
    old = from_hub("owner/name", BUNDLE)
    repository.commit({BUNDLE: b"new"})

    def broken(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", broken)
    with pytest.raises(ModelError, match="No space left on device"):
        from_hub("owner/name", BUNDLE, refresh=True)
    hub.stop()
    assert from_hub("owner/name", BUNDLE) == old


def test_revisions_are_kept_beside_each_other(hub):
    repository = hub.add("owner/name", {BUNDLE: b"first"})
    first = repository.refs["main"]
    repository.commit({BUNDLE: b"tried"}, "a/branch")
    repository.refs["v1"] = first
    repository.commit({BUNDLE: b"second"})
    given = {
        "owner/name": b"second",
        f"owner/name@{first}": b"first",
        "owner/name@v1": b"first",
        "owner/name@a/branch": b"tried",
        "hf://owner/name@a%2Fbranch/model.onnx": b"tried",
    }
    for _ in range(2):
        assert {name: from_hub(name, BUNDLE).read_bytes() for name in given} == given
        hub.stop()


def test_one_of_several_models_is_named_by_its_file(hub, bundle):
    hub.add("owner/name", {"small.onnx": bundle.read_bytes(), "deep/large.onnx": b"", "notes.txt": b""})
    assert load_model("hf://owner/name/small.onnx", 1).name == "tiny"
    with pytest.raises(ModelError) as caught:
        load_model("owner/name", 1)
    assert str(caught.value) == (
        "owner/name: the repository has no model.onnx; it has deep/large.onnx, small.onnx: to use that, write "
        "hf://owner/name/deep/large.onnx"
    )


def _refused(name, message):
    with pytest.raises(ModelError, match=message) as caught:
        load_model(name, 1)
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)


def test_what_is_not_to_be_had_is_said_in_one_line(hub, bundle, make_bundle, tmp_path, monkeypatch):
    hub.add("owner/private", {BUNDLE: bundle.read_bytes()}, private=True)
    hub.add("owner/gated", {BUNDLE: bundle.read_bytes()}, gated=True)
    hub.add("owner/other", {"README.md": b"", "weights.bin": b""})
    hub.add("owner/cut", {BUNDLE: bundle.read_bytes()[:300]})
    hub.add("owner/strange", {BUNDLE: make_bundle(tmp_path / "x.onnx", metadata=None).read_bytes()})
    _refused("owner/nothing", "no such repository on the Hub, or it is private: log in with `hf auth login`")
    _refused("owner/private", "no such repository on the Hub, or it is private: log in with `hf auth login`")
    _refused("owner/gated", "its owner gives access on request, at https://huggingface.co/owner/gated")
    _refused("owner/other", "the repository has no model.onnx; nor any other model")
    _refused("owner/other@v9", "no such branch, tag or commit")
    _refused("owner/cut", "not an ONNX model that can be run")
    _refused("owner/strange", "an ONNX model, but not a tintype bundle")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    _refused("owner/nothing", "no such repository on the Hub, or your login may not see it")
    assert load_model("owner/private", 1).name == "tiny"
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    _refused("owner/nothing", "does not accept your token")
    hub.status = 500
    _refused("owner/nothing", "not in the cache, and could not be fetched from the Hub")
    hub.stop()
    _refused("owner/nothing", "not in the cache, and could not be fetched from the Hub")


def test_offline_mode_is_told(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    _refused("owner/name", r"could not be fetched from the Hub \(HF_HUB_OFFLINE is set\)")
    assert hub.asked == []


def test_without_the_library_what_to_install_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    _refused("owner/name", "pip install huggingface-hub")
