"""How figures are written for people."""

import pytest

from tintype.evaluate.figures import FIGURES, NOTHING


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_told_in_one_sentence_and_has_a_head_that_fits_a_column(name: str) -> None:
    figure = FIGURES[name]
    assert figure.what.endswith(".")
    assert ". " not in figure.what
    assert len(figure.head) <= 27
    format(1.5, figure.form)


def test_null_is_told_as_what_it_stands_for() -> None:
    assert FIGURES["top1_won_back"].text(None) == NOTHING
    assert FIGURES["auc"].text(float("nan")) == NOTHING
    assert FIGURES["psnr"].text(None) == FIGURES["psnr"].text(float("inf")) == "inf"
    assert FIGURES["psnr"].text(23.456) == "23.46"


def test_no_two_figures_look_alike_in_a_table() -> None:
    assert len({figure.head for figure in FIGURES.values()}) == len(FIGURES)
