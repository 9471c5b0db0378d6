import json
import subprocess

import torch

from tintype.training.record import git_state, record_session


def _git(folder, *arguments):
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_checkout_is_known_by_its_commit_and_how_much_has_changed(tmp_path, monkeypatch):
    _git(tmp_path, "init")
    (tmp_path / "a.txt").write_text("a")
    _git(tmp_path, "add", "a.txt")
    _git(tmp_path, "commit", "-m", "first")
    commit = _git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "below").mkdir()
    assert git_state(tmp_path / "below") == {"commit": commit, "changed": 0}
    (tmp_path / "a.txt").write_text("b")
    (tmp_path / "untracked.txt").write_text("c")
    assert git_state(tmp_path) == {"commit": commit, "changed": 1}
    assert git_state(tmp_path, tmp_path / "a.txt") == {"commit": commit, "changed": 1}
    assert git_state(tmp_path, tmp_path / "untracked.txt") is None
    monkeypatch.setenv("PATH", "")
    assert git_state(tmp_path) is None


def test_where_there_is_no_checkout_there_is_no_state(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) is None


def test_a_session_is_a_line_with_facts_versions_and_host(tmp_path):
    for step in (0, 7):
        record_session(tmp_path, torch.device("cpu"), {"step": step, "seed": 3})
    lines = [json.loads(line) for line in (tmp_path / "sessions.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 7]
    for line in lines:
        assert set(line) == {"time", "step", "seed", "versions", "git", "tintype_git", "host"}
        assert {"python", "tintype", "torch", "timm", "cuda"} <= set(line["versions"])
        assert line["host"]["cores"] > 0
