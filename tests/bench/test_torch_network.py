import numpy as np
import pytest

from _torch_network import torch_session
from tintype.runtime import Colorizer


@pytest.mark.parametrize("names", [["ab", "entropy"], ["logits"], ["entropy", "ab"]])
def test_the_network_in_pytorch_answers_as_the_bundle_does(names):
    """Of which bench/archive.py makes the loops that it compares with."""
    model, session = Colorizer().model, torch_session(Colorizer())
    seen = np.random.default_rng(1).uniform(0, 100, (1, 1, 128, 192)).astype(np.float32)
    inputs = {"lightness": seen, "temperature": np.array(0.5, np.float32)}
    for wanted, got in zip(model._session.run(names, inputs), session.run(names, inputs), strict=True):
        assert got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, atol=0.5)
