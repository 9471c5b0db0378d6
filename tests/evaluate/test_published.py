"""What papers printed. No paper is at hand here, so the rows are held against facts that the papers tell in words."""

import pytest

from tintype.evaluate.published import COLUMNS, DDCOLOR_VAL5K, MARKS, PEERS, TABLES, ZHANG16_1, ZHANG16_AGAIN, Table

ROWS = {row.method: row.figures for row in ZHANG16_1.rows}


def test_table_1_has_the_rows_of_the_paper_in_its_order() -> None:
    assert list(ROWS) == [
        "Ground truth",
        "Gray",
        "Random",
        "Dahl",
        "Larsson et al.",
        "Ours (L2)",
        "Ours (L2, ft)",
        "Ours (class)",
        "Ours (full)",
    ]


def test_the_figures_of_table_1_that_reviews_quote_too_are_marked_so_and_no_others() -> None:
    quoted = {(row, name): one.printed for row, figures in ROWS.items() for name, one in figures.items()
              if one.mark == "V2"}  # fmt: skip
    assert quoted == {
        ("Ground truth", "top1"): "68.3",
        ("Gray", "top1"): "52.7",
        ("Ours (full)", "auc"): "89.5",
        ("Ours (full)", "auc_rebalanced"): "67.3",
        ("Ours (full)", "top1"): "56.0",
        ("Ours (full)", "fooled"): "32.3",
    }
    assert all(one.mark in ("V2", "M") for figures in ROWS.values() for one in figures.values())


def test_table_1_says_what_the_paper_concludes_from_it() -> None:
    def ranking(figure: str) -> list[str]:
        return sorted((row for row in ROWS if figure in ROWS[row]), key=lambda row: -ROWS[row][figure].value)

    assert ranking("auc")[:2] == ["Ground truth", "Larsson et al."]
    assert ranking("auc")[-2:] == ["Gray", "Random"]  # colours of another image are worse than none
    assert ranking("auc_rebalanced")[:2] == ["Ground truth", "Ours (full)"]
    assert ranking("auc_rebalanced")[-2:] == ["Gray", "Random"]
    assert ranking("top1")[:2] == ["Ground truth", "Larsson et al."]
    assert ranking("top1")[-1] == "Random"
    assert ranking("fooled")[:2] == ["Ground truth", "Ours (full)"]
    assert ranking("fooled")[-1] == "Random"
    assert "fooled" not in ROWS["Gray"]  # nobody was asked
    assert ROWS["Ground truth"]["fooled"].value == 50  # chance


def test_every_fooling_rate_but_chance_has_its_margin() -> None:
    margins = {row: figures["fooled"].margin for row, figures in ROWS.items() if "fooled" in figures}
    assert margins.pop("Ground truth") is None
    assert all(margin is not None and 0 < float(margin) < 5 for margin in margins.values())
    assert ROWS["Ours (full)"]["fooled"].text == "32.3 ± 2.2"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_every_table_tells_source_and_protocol_and_has_plausible_figures(table: Table) -> None:
    assert table.source
    assert table.protocol
    ranges = {"psnr": (20, 26), "ssim": (0.8, 1), "lpips": (0.1, 0.3), "colourfulness": (20, 50), "fid": (0.4, 10)}
    for row in table.rows:
        assert row.figures.keys() <= COLUMNS.keys()
        assert all(one.mark in MARKS for one in row.figures.values())
        for name, (low, high) in ranges.items():
            assert name not in row.figures or low <= row.figures[name].value <= high, (row.method, name)


def test_without_rebalancing_auc_is_higher_in_the_paper_and_where_others_ran_it_again() -> None:
    again = {row.method: row.figures["auc"].value for row in ZHANG16_AGAIN.rows}
    assert again["without rebalancing"] > again["full"]
    assert ROWS["Ours (class)"]["auc"].value > ROWS["Ours (full)"]["auc"].value


def test_figures_of_the_note_are_second_hand_and_those_of_ddcolor_from_memory() -> None:
    assert {one.mark for row in PEERS.rows for one in row.figures.values()} == {"V2"}
    assert {one.mark for row in DDCOLOR_VAL5K.rows for one in row.figures.values()} == {"M"}
    assert (len(PEERS.rows), len(DDCOLOR_VAL5K.rows)) == (13, 9)
    assert min(DDCOLOR_VAL5K.rows, key=lambda row: row.figures["fid"].value).method == "DDColor-L"


def test_a_table_has_the_columns_that_a_row_of_it_has() -> None:
    assert ZHANG16_1.columns == ["auc", "auc_rebalanced", "top1", "fooled"]
    assert ZHANG16_AGAIN.columns == ["auc", "top1"]
    assert DDCOLOR_VAL5K.columns == ["fid", "psnr", "colourfulness"]
