"""bfloat16 is used where the device computes in it, and only there."""

import json
import re

import pytest
import torch

from tintype.training.precision import precision_on
from training.runs import assert_same_weights, run

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def has(monkeypatch, **capabilities):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx2": True, "avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, "fp32"),
        ({"avx512_bf16": True, "amx_bf16": False}, "bf16"),
        ({"avx512_bf16": False, "amx_bf16": True}, "bf16"),
        ({"neon": True, "bf16": True}, "bf16"),
        ({"neon": True, "bf16": False, "sve_bf16": False}, "fp32"),
    ],
)
def test_a_processor_says_what_it_has(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    has(monkeypatch, **capabilities)
    assert precision_on(CPU, "bf16") == expected
    assert precision_on(CPU, "fp32") == "fp32"


def test_without_onednn_or_with_an_older_pytorch_bf16_is_not_fast(monkeypatch):
    has(monkeypatch, avx512_bf16=True)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert precision_on(CPU, "bf16") == "fp32"
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    for name in ("get_capabilities", "_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert precision_on(CPU, "bf16") == "fp32"
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)  # as of 2.6
    assert precision_on(CPU, "bf16") == "bf16"


@pytest.mark.parametrize(("native", "expected"), [(True, "bf16"), (False, "fp32")])
def test_a_gpu_that_makes_it_up_does_not_count(monkeypatch, native, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or native)
    assert precision_on(CUDA, "bf16") == expected


def test_a_run_without_bf16_is_the_run_in_float32_and_says_so(tmp_path, monkeypatch, capsys):
    expected = run(tmp_path / "fp32", steps=3)
    assert "bfloat16" not in capsys.readouterr().err
    monkeypatch.setattr("tintype.training.precision._has_bf16", lambda device: False)
    found = run(tmp_path / "bf16", steps=3, precision="bf16")
    assert_same_weights(found, expected)
    assert re.search(r"this \w+ has no fast bfloat16, .* trained in float32", capsys.readouterr().err)
    assert json.loads((tmp_path / "bf16" / "sessions.jsonl").read_text())["precision"] == "fp32"
