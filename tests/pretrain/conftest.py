import pytest

from pretrain.tiny import make_photographs


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    return make_photographs(tmp_path_factory.mktemp("data") / "photographs")
