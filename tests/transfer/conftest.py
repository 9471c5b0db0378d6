import pytest

from pretrain.labelled import make_photographs


@pytest.fixture(scope="session")
def kinds(tmp_path_factory):
    return make_photographs(tmp_path_factory.mktemp("data") / "kinds")
