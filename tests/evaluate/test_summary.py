import numpy as np
import pytest

from tintype.evaluate import summary
from tintype.evaluate.summary import Summary

RNG = np.random.default_rng(0)


def _record(number, psnr=None, methods=("grey", "ground-truth")):
    rng = np.random.default_rng(number)
    return {
        "photograph": f"{number}.jpg",
        "colourfulness": 40.0,
        "methods": {
            name: {
                "errors": rng.integers(0, 100, 60).tolist(),
                "rebalanced": rng.uniform(0, 9, 70).tolist(),
                "squared": float(rng.uniform(0, 1e6)),
                "neutral": [float(rng.uniform(0, 1e4)), 100.0],
                "auc_rebalanced": float(rng.uniform(50, 100)),
                "psnr": psnr if psnr is None else psnr + float(rng.normal(0, 3)),
                "ssim": float(rng.uniform()),
                "colourfulness": float(rng.uniform(0, 80)),
                "top1": int(rng.integers(0, 2)),
                "top5": 1,
                "agreement": 1,
            }
            for name in methods
        },
        "label": int(rng.integers(0, 3)),
    }


def _summarised(records, **more):
    done = Summary(["grey", "ground-truth"], **more)
    for record in records:
        done.add(record)
    return done


def test_intervals_are_those_of_an_ordinary_bootstrap():
    """The twin resamples whole lists of photographs; the two differ by the luck of 1,000 draws."""
    records = [_record(number, 20) for number in range(150)]
    figures = _summarised(records).figures()["grey"]
    rng = np.random.default_rng(1)
    ssim = np.array([record["methods"]["grey"]["ssim"] for record in records])
    means = [ssim[rng.integers(0, len(ssim), len(ssim))].mean() for _ in range(4000)]
    low, high = np.percentile(means, [2.5, 97.5])
    width = high - low
    assert figures["ssim"][0] == pytest.approx(ssim.mean())
    assert figures["ssim"][1:] == pytest.approx((low, high), abs=0.15 * width)


def test_intervals_of_a_ratio_resample_both_of_its_parts():
    records = [_record(number, 20) for number in range(150)]
    figures = _summarised(records).figures()["grey"]
    rng = np.random.default_rng(1)
    squared, pixels = (
        np.array(values)
        for values in zip(
            *((r["methods"]["grey"]["squared"], sum(r["methods"]["grey"]["errors"])) for r in records), strict=True
        )
    )
    draws = rng.integers(0, 150, (4000, 150))
    low, high = np.percentile(np.sqrt(squared[draws].sum(1) / (2 * pixels[draws].sum(1))), [2.5, 97.5])
    assert figures["rmse_ab"][1:] == pytest.approx((low, high), abs=0.15 * (high - low))


def test_the_interval_shrinks_with_the_root_of_the_number_of_photographs():
    few, many = (_summarised(_record(n, 20) for n in range(count)).figures()["grey"]["ssim"] for count in (50, 800))
    assert (few[2] - few[1]) / (many[2] - many[1]) == pytest.approx(4, rel=0.3)


def test_resamples_do_not_depend_on_the_order_of_the_photographs():
    records = [_record(number, 20) for number in range(30)]
    one, other = (_summarised(order).figures() for order in (records, records[::-1]))
    for method in one:
        for figure, value in one[method].items():
            assert other[method][figure] == pytest.approx(value, rel=1e-9, nan_ok=True)


def test_another_seed_gives_another_interval_of_the_same_figure():
    records = [_record(number, 20) for number in range(30)]
    one, other = (_summarised(records, seed=seed).figures()["grey"]["ssim"] for seed in (0, 1))
    assert one[0] == other[0]
    assert one[1:] != other[1:]


def test_a_mean_with_an_infinite_psnr_is_infinite():
    records = [_record(0, 20), _record(1), _record(2, 25)]
    value, _, high = _summarised(records).figures()["grey"]["psnr"]
    assert (value, high) == (np.inf, np.inf)


def test_memory_does_not_grow_with_the_number_of_photographs():
    done = _summarised(_record(number, 20) for number in range(70))
    before = done._sums.nbytes + sum(len(batch) for batch in done._waiting)
    for number in range(70, 300):
        done.add(_record(number, 20))
    assert done._sums.nbytes + sum(len(batch) for batch in done._waiting) <= before + 2 * summary._BATCH


def test_classes_count_right_answers_of_every_method():
    records = [_record(number, 20) for number in range(40)]
    done = _summarised(records)
    for label in range(3):
        own = [record for record in records if record["label"] == label]
        assert done.classes[label] == {
            "images": len(own),
            **{name: sum(r["methods"][name]["top1"] for r in own) for name in ("grey", "ground-truth")},
        }


def test_curves_are_cumulative_shares_of_all_counts():
    records = [_record(number, 20) for number in range(5)]
    curves = _summarised(records).curves()["grey"]
    total = np.sum([record["methods"]["grey"]["errors"] for record in records], axis=0)
    np.testing.assert_allclose(curves["all"][:60], np.cumsum(total) / total.sum())
    assert len(curves["all"]) == len(curves["rebalanced"]) == 151
