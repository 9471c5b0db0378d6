"""Label studies, counted."""

import random
from collections import Counter

import pytest

from tintype.data import DataError
from tintype.data.hierarchy import Hierarchy
from tintype.data.studies import Known, hierarchy_buckets, noise, random_buckets, subset

CLASSES = [f"c{number:03}" for number in range(100)]
LABELS = {f"{name}/{number:03}": name for name in CLASSES for number in range(130)}  # 13,000, ImageNet by a hundredth
HELD_OUT = {f"{name}/x": name for name in CLASSES}
KNOWN = Known(LABELS)


def _shuffled(labels):
    keys = list(labels)
    random.Random(0).shuffle(keys)
    return {key: labels[key] for key in keys}


def _all(known):
    tree = Hierarchy([(name, f"kind{name[1]}", "") for name in CLASSES], "kinds")
    return [
        subset(known, 0, per_class=10),
        subset(known, 0, images=1050),
        noise(known, 0, 0.1),
        random_buckets(known, 0, 16),
        hierarchy_buckets(known, 4, tree),
    ]


def test_a_study_is_the_same_in_whatever_order_photographs_are_found():
    for held_out in ({}, HELD_OUT):
        assert _all(Known(_shuffled(LABELS), _shuffled(held_out))) == _all(Known(LABELS, held_out))


def test_what_is_held_out_is_measured_by_its_label_and_leaves_the_counts_of_the_rest_as_they_are():
    for study, without in zip(_all(Known(LABELS, HELD_OUT)), _all(KNOWN), strict=True):
        rows = dict(zip(study.images, zip(study.labels, study.true, strict=True), strict=True))
        held_out = {key: true for key, (label, true) in rows.items() if not label}
        assert set(held_out) == set(HELD_OUT)
        trained = {key: label for key, (label, _) in rows.items() if label}
        assert trained == dict(zip(without.images, without.labels, strict=True))
        of_class = {LABELS[key]: true for key, (label, true) in rows.items() if label}
        assert held_out == {key: of_class[label] for key, label in HELD_OUT.items()}
        assert study.about[:-1] == without.about
        assert study.about[-1].startswith("100 other images are held out")


def test_seeds_differ():
    for make in (
        lambda seed: subset(KNOWN, seed, per_class=10),
        lambda seed: noise(KNOWN, seed, 0.1),
        lambda seed: random_buckets(KNOWN, seed, 16),
    ):
        assert make(1) == make(1)
        assert make(1).labels != make(2).labels or make(1).images != make(2).images


@pytest.mark.parametrize("count", [100, 10, 1])
def test_a_subset_has_exactly_as_many_images_of_each_class(count):
    study = subset(KNOWN, 0, per_class=count)
    assert Counter(study.labels) == dict.fromkeys(CLASSES, count)
    assert len(set(study.images)) == 100 * count
    assert all(LABELS[key] == label for key, label in zip(study.images, study.labels, strict=True))


def test_a_subset_of_so_many_images_spreads_them_evenly():
    study = subset(KNOWN, 0, images=1050)
    assert Counter(Counter(study.labels).values()) == {10: 50, 11: 50}
    assert len(set(study.images)) == 1050
    assert subset(KNOWN, 0, images=1000).images == subset(KNOWN, 0, per_class=10).images


def test_larger_subsets_hold_the_smaller_ones():
    assert set(subset(KNOWN, 0, per_class=10).images) < set(subset(KNOWN, 0, per_class=100).images)


def test_a_class_with_too_few_images_is_named():
    with pytest.raises(DataError, match=r"^class c000 has 130 images, fewer than 131$"):
        subset(KNOWN, 0, per_class=131)
    with pytest.raises(DataError, match=r"^99 images are fewer than the 100 classes$"):
        subset(KNOWN, 0, images=99)


@pytest.mark.parametrize(("share", "wrong"), [(0.1, 1300), (0.5, 6500), (1 / 3, 4333)])
def test_exactly_the_share_of_labels_is_wrong_and_each_other_class_is_as_likely(share, wrong):
    study = noise(KNOWN, 0, share)
    assert sorted(study.images) == sorted(LABELS)
    assert list(study.true) == [LABELS[key] for key in study.images]
    changed = [(label, true) for label, true in zip(study.labels, study.true, strict=True) if label != true]
    assert len(changed) == wrong
    by_class = Counter(true for _, true in changed).values()
    assert max(by_class) < 130 * share + 6 * (130 * share * (1 - share)) ** 0.5
    given = Counter(label for label, _ in changed)
    assert set(given) == set(CLASSES)
    assert max(given.values()) < wrong / 100 + 6 * (wrong / 100) ** 0.5
    assert f"{wrong} of 13000 labels are wrong" in study.about[0]


def test_a_larger_share_of_wrong_labels_keeps_the_smaller_ones_wrong_in_the_same_way():
    few, many = (dict(zip(s.images, s.labels, strict=True)) for s in (noise(KNOWN, 0, 0.1), noise(KNOWN, 0, 0.5)))
    assert all(many[key] == label for key, label in few.items() if label != LABELS[key])


def test_noise_needs_a_share_and_two_classes():
    for share in (0, 1, -0.1, float("nan")):
        with pytest.raises(DataError, match=r"^the share of wrong labels must lie between 0 and 1"):
            noise(KNOWN, 0, share)
    with pytest.raises(DataError, match=r"^with one class no label can be wrong$"):
        noise(Known({"a": "x", "b": "x"}), 0, 0.5)


@pytest.mark.parametrize("count", [16, 50, 3])
def test_random_buckets_take_whole_classes_and_as_many_each(count):
    study = random_buckets(KNOWN, 0, count)
    bucket_of = {}
    for key, bucket in zip(study.images, study.labels, strict=True):
        assert bucket_of.setdefault(LABELS[key], bucket) == bucket
    sizes = Counter(bucket_of.values())
    assert len(sizes) == count
    assert sum(sizes.values()) == 100
    assert max(sizes.values()) - min(sizes.values()) <= 1
    assert study.true is None
    told = [line for line in study.about if line.startswith("bucket ")]
    assert len(told) == count
    for name, bucket in bucket_of.items():
        assert any(line.startswith(f"bucket {bucket}:") and name in line for line in told)


def test_buckets_of_a_hierarchy_are_named_by_what_they_are_kinds_of():
    rows = [(name, "low" if name < "c060" else "high", "") for name in CLASSES]
    study = hierarchy_buckets(KNOWN, 2, Hierarchy(rows, "folder/kinds.tsv"))
    assert Counter(study.labels) == {"low": 60 * 130, "high": 40 * 130}
    assert study.about[0] == "hierarchy: 100 classes in 2 buckets, by kinds.tsv"
    assert study.about[1].startswith("bucket low (low): 60 classes: c000, c001, ")
    assert study.about[-1] == "13000 images, 2 labels, 5200 to 7800 images of each"


def test_buckets_of_one_name_are_told_apart_by_their_node():
    rows = [(name, "n1" if name < "c060" else "n2", "") for name in CLASSES] + [
        ("n1", "", "crane"),
        ("n2", "", "crane"),
    ]
    assert set(hierarchy_buckets(KNOWN, 2, Hierarchy(rows, "kinds")).labels) == {"crane (n1)", "crane (n2)"}


def test_more_buckets_than_classes_are_refused():
    one_class = Known({"1": "a", "2": "a"})
    with pytest.raises(DataError, match=r"^1 classes cannot be put into 2 buckets$"):
        random_buckets(one_class, 0, 2)
    with pytest.raises(DataError, match=r"^1 classes cannot be parted into 2 buckets$"):
        hierarchy_buckets(one_class, 2, Hierarchy([("a", "", "")], "kinds"))
