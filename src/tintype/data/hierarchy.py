"""A tree of classes, and cutting it into a few parts that are as equal as can be.

ImageNet's classes have their tree in `wordnet/hypernyms.tsv`; other data sets bring their own file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tintype.data.errors import DataError

_NEVER = np.int64(2**60)  # the cost of what cannot be


@dataclass(frozen=True)
class Bucket:
    """Some classes, under one name.

    Attributes:
        top: the lowest node above all of them.
        name: the node's name.
        without: names of the nodes below `top` whose classes are in other buckets.
        classes: in order.
    """

    top: str
    name: str
    without: tuple[str, ...]
    classes: tuple[str, ...]


class Hierarchy:
    """Classes and what they are kinds of.

    Args:
        rows: node, its parent ("" for none), and its name ("" for the node itself).
        source: the file, for messages.

    Raises:
        DataError: a node has two parents, or is below itself.
    """

    def __init__(self, rows: Iterable[tuple[str, str, str]], source: str):
        self.source = source
        self._parents: dict[str, str] = {}
        self._names: dict[str, str] = {}
        for node, parent, name in rows:
            if self._parents.setdefault(node, parent) != parent:
                raise DataError(f"{source}: {node} has two parents, {self._parents[node]} and {parent}")
            self._names[node] = name or node
        for node in self._parents:
            self.path(node)

    def name(self, node: str) -> str:
        """What a node is called."""
        return self._names.get(node, node) or "everything"

    def path(self, node: str) -> list[str]:
        """From the root, which is "" above all that have no parent, down to a node."""
        path = [node]
        while path[-1]:
            path.append(self._parents.get(path[-1], ""))
            if len(path) > len(self._parents) + 2:
                raise DataError(f"{self.source}: {node} is below itself")
        return path[::-1]

    def cut(self, classes: Sequence[str], count: int) -> list[Bucket]:
        """Part classes into buckets: cut the tree at `count` - 1 places, so that the sum of the squares of the buckets'
        numbers of classes is least, which it is where they are as equal as can be.

        Whatever is below a cut is one bucket, less what is below further cuts; so all classes of a bucket hang together
        in the tree. Of ways that are equally good, the same is chosen each time.

        Args:
            classes: those to part, each a node of the tree.
            count: buckets.

        Returns:
            The buckets, the largest first.

        Raises:
            DataError: a class is not in the tree, or there are fewer classes than buckets.
        """
        for name in classes:
            if name not in self._parents:
                raise DataError(f"{self.source}: has no class {name} (--tree FILE gives another tree)")
        if not 1 <= count <= len(classes):
            raise DataError(f"{len(classes)} classes cannot be parted into {count} buckets")
        paths = {name: self.path(name) for name in sorted(classes)}
        cuts = _best_cuts(paths, count)
        members: dict[str, list[str]] = {}
        for name, path in paths.items():
            members.setdefault(_nearest(path, cuts), []).append(name)
        tops = {cut: _common([paths[name] for name in held]) for cut, held in members.items()}
        buckets = []
        for cut, held in members.items():
            nearest = [tops[other] for other in cuts if other and _nearest(self.path(other)[:-1], cuts) == cut]
            without = tuple(sorted(self.name(node) for node in nearest if tops[cut] in self.path(node)))
            buckets.append(Bucket(tops[cut], self.name(tops[cut]), without, tuple(held)))
        return sorted(buckets, key=lambda bucket: (-len(bucket.classes), bucket.top))


def read_hierarchy(path: Path) -> Hierarchy:
    """Read a tree from a file: "CLASS<tab>PARENT" on each line, and after another tab a name, if it has one.

    Lines that begin with # are left out. What has no line of its own, or an empty parent, is at the top.

    Raises:
        DataError: the file cannot be read or holds no tree.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    return _parse(text, str(path))


def wordnet() -> Hierarchy:
    """The hypernyms of ImageNet's 1,000 classes, by synset id; of several hypernyms, WordNet 3.0's first."""
    file = resources.files("tintype.data").joinpath("wordnet", "hypernyms.tsv")
    return _parse(file.read_text(encoding="utf-8"), "WordNet 3.0")


def _parse(text: str, source: str) -> Hierarchy:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            node, *others = line.split("\t")
            if not node or len(others) not in (1, 2):
                raise DataError(f"{source}: line {number} is not CLASS<tab>PARENT or CLASS<tab>PARENT<tab>NAME")
            rows.append((node, others[0], others[1] if len(others) == 2 else ""))
    return Hierarchy(rows, source)


def _common(paths: Sequence[Sequence[str]]) -> str:
    """The lowest node that all paths pass."""
    shared: list[str] = [node for node, *others in zip(*paths, strict=False) if set(others) <= {node}]
    return shared[-1]


def _nearest(path: Sequence[str], cuts: set[str]) -> str:
    return next(node for node in reversed(path) if node in cuts)


def _best_cuts(paths: dict[str, list[str]], count: int) -> set[str]:
    """Nodes above which to cut, the root among them.

    Dynamic programming from the leaves up. Of each node, best[j, w] is the least sum of squares of j buckets that are
    finished below it, while w classes are in the bucket that is still open at the node.
    """
    children: dict[str, list[str]] = {}
    for path in paths.values():
        for parent, child in pairwise(path):
            if child not in children.setdefault(parent, []):
                children[parent].append(child)
    order = [""]  # parents before children
    for node in order:
        order.extend(children.get(node, []))

    best: dict[str, NDArray[np.int64]] = {}
    closed: dict[str, NDArray[np.int64]] = {}  # how many classes the bucket has that ends above the node, for each j
    choices: dict[tuple[str, str], NDArray[np.int64]] = {}
    for node in reversed(order):
        table = np.full((count + 1, 2 if node in paths else 1), _NEVER)
        table[0, -1] = 0
        for child in children.get(node, []):
            offered, closed[child] = _offer(best.pop(child))
            table, choices[node, child] = _join(table, offered)
        best[node] = table

    root = best[""]
    finished = root + np.arange(root.shape[1], dtype=np.int64) ** 2
    ends = {(count - 1, w): finished[count - 1, w] for w in range(1, root.shape[1])}
    ends[count, 0] = root[count, 0]
    cuts = {""}
    waiting = [("", *min(ends, key=lambda end: (ends[end], end)))]
    while waiting:
        node, j, w = waiting.pop()
        for child in reversed(children.get(node, [])):
            used_j, used_w = choices[node, child][:, j, w].tolist()
            j, w = j - used_j, w - used_w
            size = int(closed[child][used_j]) if used_w == 0 else 0
            if size:
                cuts.add(child)
            waiting.append((child, used_j - 1, size) if size else (child, used_j, used_w))
    return cuts


def _offer(table: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What a child's table offers its parent: as it is, or with the child's own bucket ended, where that is cheaper."""
    ended = table + np.arange(table.shape[1], dtype=np.int64) ** 2
    ended[:, 0] = _NEVER  # no bucket is empty
    sizes = np.concatenate([[0], ended.argmin(axis=1)[:-1]])
    costs = np.concatenate([[_NEVER], ended.min(axis=1)[:-1]])
    offered = table.copy()
    cheaper = costs < table[:, 0]
    offered[cheaper, 0] = costs[cheaper]
    return offered, np.where(cheaper, sizes, 0)


def _join(table: NDArray[np.int64], offered: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both tables together: the least cost for each sum of j and of w; and which j and w of the child's it takes."""
    rows, width = len(table), table.shape[1] + offered.shape[1] - 1
    joined = np.full((rows, width), _NEVER)
    chosen = np.zeros((2, rows, width), np.int64)
    by_child = np.count_nonzero(offered < _NEVER) < np.count_nonzero(table < _NEVER)
    few, many = (offered, table) if by_child else (table, offered)
    grid = np.indices(many.shape)
    for j, w in zip(*np.nonzero(few < _NEVER), strict=True):
        costs = many[: rows - j] + few[j, w]
        place = np.s_[j:, w : w + many.shape[1]]
        better = costs < joined[place]
        joined[place][better] = costs[better]
        for axis, own in enumerate((j, w)):
            chosen[axis][place][better] = own if by_child else grid[axis, : rows - j][better]
    return joined, chosen
