import itertools
import random
import re

import pytest
from timm.data.imagenet_info import ImageNetInfo

from tintype.data import DataError
from tintype.data.hierarchy import Hierarchy, read_hierarchy, wordnet

INFO = ImageNetInfo("imagenet-1k")
IMAGENET = [INFO.index_to_label_name(number) for number in range(1000)]
KINDS = "dog\tanimal\ncat\tanimal\ncow\tanimal\nowl\tbird\nhen\tbird\nbird\tanimal\ncar\tthing\nbus\tthing\n"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "kinds.tsv").write_text(KINDS)
    return read_hierarchy(tmp_path / "kinds.tsv")


def _told(buckets):
    return [(bucket.name, bucket.without, bucket.classes) for bucket in buckets]


def test_classes_are_parted_at_the_nodes_that_make_buckets_as_equal_as_can_be(tree):
    assert _told(tree.cut(["dog", "cat", "cow", "owl", "hen", "car", "bus"], 3)) == [
        ("animal", ("bird",), ("cat", "cow", "dog")),
        ("bird", (), ("hen", "owl")),
        ("thing", (), ("bus", "car")),
    ]


def test_what_is_left_over_is_named_by_the_lowest_node_above_it(tree):
    assert _told(tree.cut(["dog", "cat", "owl", "hen"], 2)) == [
        ("animal", ("bird",), ("cat", "dog")),
        ("bird", (), ("hen", "owl")),
    ]
    assert _told(tree.cut(["dog", "owl", "car", "bus"], 2)) == [
        ("animal", (), ("dog", "owl")),
        ("thing", (), ("bus", "car")),
    ]
    assert _told(tree.cut(["dog", "car"], 1)) == [("everything", (), ("car", "dog"))]
    assert _told(tree.cut(["dog", "car"], 2)) == [("car", (), ("car",)), ("dog", (), ("dog",))]


def _smallest_sum_of_squares(parents, classes, count):
    """By trying every way to cut."""
    nodes = list(parents)
    least = None
    for cuts in itertools.combinations(nodes, count - 1):
        sizes = dict.fromkeys([*cuts, ""], 0)
        for name in classes:
            node = name
            while node not in sizes:
                node = parents[node]
            sizes[node] += 1
        if all(sizes.values()):
            total = sum(size**2 for size in sizes.values())
            least = total if least is None else min(least, total)
    return least


@pytest.mark.parametrize("seed", range(12))
def test_no_other_cuts_are_more_equal(seed):
    chance = random.Random(seed)
    parents = {"n0": ""}
    for number in range(1, 15):
        parents[f"n{number}"] = chance.choice(["", *parents])
    inner = set(parents.values())
    classes = [node for node in parents if node not in inner or chance.random() < 0.2]
    tree = Hierarchy([(node, parent, "") for node, parent in parents.items()], "test")
    for count in range(1, min(6, len(classes) + 1)):
        expected = _smallest_sum_of_squares(parents, classes, count)
        buckets = tree.cut(classes, count)
        assert len(buckets) == count
        assert sorted(name for bucket in buckets for name in bucket.classes) == sorted(classes)
        assert sum(len(bucket.classes) ** 2 for bucket in buckets) == expected


def test_a_tree_that_is_none_is_refused(tmp_path):
    path = tmp_path / "kinds.tsv"
    for text, message in (
        ("a\tb\na\tc\n", "a has two parents, b and c"),
        ("a\tb\nb\ta\n", "a is below itself"),
        ("a\n", "line 1 is not CLASS<tab>PARENT or CLASS<tab>PARENT<tab>NAME"),
        ("# kinds\na\tb\tc\td\n", "line 2 is not CLASS<tab>PARENT or CLASS<tab>PARENT<tab>NAME"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=f"^{re.escape(f'{path}: {message}')}$"):
            read_hierarchy(path)
    with pytest.raises(DataError, match=rf"^{path.parent}/no.tsv: cannot be read \(No such file or directory\)$"):
        read_hierarchy(path.parent / "no.tsv")


def test_classes_that_the_tree_lacks_and_too_many_buckets_are_refused(tree):
    with pytest.raises(DataError, match=r"kinds.tsv: has no class lion \(--tree FILE gives another tree\)$"):
        tree.cut(["dog", "lion"], 2)
    with pytest.raises(DataError, match=r"^2 classes cannot be parted into 3 buckets$"):
        tree.cut(["dog", "cat"], 3)


def test_wordnet_has_a_path_from_entity_to_every_class_of_imagenet():
    tree = wordnet()
    assert all(tree.path(synset)[:2] == ["", "n00001740"] for synset in IMAGENET)
    # As `wn "egyptian cat" -hypen`, WordNet's own program, prints it.
    printed = "entity, physical entity, object, whole, living thing, organism, animal, chordate, vertebrate, mammal, "
    printed += "placental, carnivore, feline, cat, domestic cat, Egyptian cat"
    assert [tree.name(node) for node in tree.path("n02124075")[1:]] == printed.split(", ")


def test_the_names_in_wordnets_table_are_those_of_imagenets_classes():
    tree = wordnet()
    for number, synset in enumerate(IMAGENET):
        assert tree.name(synset) == INFO.index_to_description(number).split(", ")[0]


def test_the_two_buckets_of_imagenet_are_artifacts_and_the_rest():
    first, second = wordnet().cut(IMAGENET, 2)
    assert (first.name, first.top, len(first.classes)) == ("artifact", "n00021939", 516)
    assert (second.name, second.without, len(second.classes)) == ("entity", ("artifact",), 484)


def test_the_sixteen_buckets_of_imagenet_are_named_and_nearly_equal():
    buckets = wordnet().cut(IMAGENET, 16)
    assert sum(len(bucket.classes) for bucket in buckets) == 1000
    assert len({bucket.name for bucket in buckets}) == 16
    assert {"bird", "canine", "clothing", "container", "conveyance", "structure"} <= {b.name for b in buckets}
    assert 20 < min(len(b.classes) for b in buckets) <= max(len(b.classes) for b in buckets) < 100
