"""Other labels for labelled photographs: fewer of them, wrong ones, coarser ones (Larsson17, Table 4; PAPERS C6).

Each study is a pure function of the photographs' keys, their labels and a seed: the order that they are found in, and
packing them into shards, change nothing. Numbers and shares are of the images to train on; those held out come besides.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from tintype.data.errors import DataError
from tintype.data.hierarchy import Bucket, Hierarchy
from tintype.data.study_file import Study


class Known(NamedTuple):
    """What a study is made of.

    Attributes:
        train: labels of the images to train on, by key.
        held_out: labels of those to be held out, by key.
    """

    train: Mapping[str, str]
    held_out: Mapping[str, str] = MappingProxyType({})


def subset(known: Known, seed: int, *, per_class: int = 0, images: int = 0) -> Study:
    """Some images of each class, drawn without regard to anything else.

    Args:
        known: labels of images, by key.
        seed: any integer from 0.
        per_class: images of each class.
        images: or images in all: as many of each class, or one more of some.

    Raises:
        DataError: a class has too few images.
    """
    members: dict[str, list[str]] = {}
    for key, label in known.train.items():
        members.setdefault(label, []).append(key)
    each, extra = divmod(images, len(members)) if images else (per_class, 0)
    if images and not each:
        raise DataError(f"{images} images are fewer than the {len(members)} classes")
    lucky = set(_drawn(members, seed, "extra")[:extra])
    chosen: list[str] = []
    for label in sorted(members):
        count = each + (label in lucky)
        if len(members[label]) < count:
            raise DataError(f"class {label} has {len(members[label])} images, fewer than {count}")
        chosen += _drawn(members[label], seed, "subset")[:count]
    what = f"{images} images" if images else f"{per_class} images of each class"
    return _study(Known({key: known.train[key] for key in chosen}, known.held_out), f"subset: {what}, seed {seed}")


def noise(known: Known, seed: int, share: float) -> Study:
    """Some labels made wrong: of exactly `share` of the images, each becomes any other class, all equally likely.

    Args:
        known: labels of images, by key.
        seed: any integer from 0.
        share: of the images, in (0, 1); times their number and rounded.

    Raises:
        DataError: the share is out of range, or there is only one class.
    """
    labels, names = known.train, _classes(known)
    if not 0 < share < 1:
        raise DataError(f"the share of wrong labels must lie between 0 and 1, got {share}")
    if len(names) < 2:
        raise DataError("with one class no label can be wrong")
    count = round(share * len(labels))
    places = {name: place for place, name in enumerate(names)}
    wrong = dict(labels)
    for key in _drawn(labels, seed, "wrong")[:count]:
        other = _hash(key, seed, "which") % (len(names) - 1)
        wrong[key] = names[other + (other >= places[labels[key]])]
    about = f"noise: {count} of {len(labels)} labels are wrong ({share:.4%}), seed {seed}"
    return _study(Known(wrong, known.held_out), about, true=labels)


def random_buckets(known: Known, seed: int, count: int) -> Study:
    """Classes put together at random: whole classes, not images, as many in each bucket or one more in some.

    Raises:
        DataError: there are fewer classes than buckets.
    """
    names = _drawn(_classes(known), seed, "bucket")
    if not 1 < count <= len(names):
        raise DataError(f"{len(names)} classes cannot be put into {count} buckets")
    digits = len(str(count - 1))
    buckets = {f"random-{number:0{digits}}": sorted(names[number::count]) for number in range(count)}
    about = [f"random: {len(names)} classes in {count} buckets, seed {seed}"]
    about += [f"bucket {bucket}: {len(held)} classes: {', '.join(held)}" for bucket, held in buckets.items()]
    bucket_of = {name: bucket for bucket, held in buckets.items() for name in held}
    return _study(_in_buckets(known, bucket_of), *about)


def hierarchy_buckets(known: Known, count: int, hierarchy: Hierarchy) -> Study:
    """Classes put together by what they are kinds of, into buckets as equal as can be (`Hierarchy.cut`).

    Raises:
        DataError: a class is not in the hierarchy, or there are fewer classes than buckets.
    """
    names = _classes(known)
    buckets = hierarchy.cut(names, count)
    shown = Counter(bucket.name for bucket in buckets)

    def label(bucket: Bucket) -> str:
        return bucket.name if shown[bucket.name] == 1 else f"{bucket.name} ({bucket.top})"

    about = [f"hierarchy: {len(names)} classes in {count} buckets, by {os.path.basename(hierarchy.source)}"]
    for bucket in buckets:
        less = f" without {', '.join(bucket.without)}" if bucket.without else ""
        classes = ", ".join(bucket.classes)
        about.append(f"bucket {label(bucket)} ({bucket.top}){less}: {len(bucket.classes)} classes: {classes}")
    bucket_of = {name: label(bucket) for bucket in buckets for name in bucket.classes}
    return _study(_in_buckets(known, bucket_of), *about)


def _classes(known: Known) -> list[str]:
    return sorted({*known.train.values(), *known.held_out.values()})


def _in_buckets(known: Known, bucket_of: Mapping[str, str]) -> Known:
    return Known(*({key: bucket_of[label] for key, label in labels.items()} for labels in known))


def _study(known: Known, *about: str, true: Mapping[str, str] | None = None) -> Study:
    """A study of images with their labels in it; `true` is what labels were before some were made wrong."""
    keys = sorted({*known.train, *known.held_out})
    sizes = Counter(known.train.values())
    low, high = min(sizes.values()), max(sizes.values())
    each = f"{low}" if low == high else f"{low} to {high}"
    lines = [*about, f"{len(known.train)} images, {len(sizes)} labels, {each} images of each"]
    if known.held_out:
        lines.append(
            f"{len(known.held_out)} other images are held out: they have no label, and are measured by the true one"
        )
    measured = {**(true or known.train), **known.held_out}
    before = [measured[key] for key in keys] if true or known.held_out else None
    return Study(tuple(lines), keys, [known.train.get(key, "") for key in keys], before)


def _drawn(names: Mapping[str, object] | Sequence[str], seed: int, purpose: str) -> list[str]:
    """Names in an order that is as good as random."""
    return sorted(names, key=lambda name: (_hash(name, seed, purpose), name))


def _hash(name: str, seed: int, purpose: str) -> int:
    digest = hashlib.blake2b(os.fsencode(name), digest_size=8, key=str(seed).encode(), person=purpose.encode())
    return int.from_bytes(digest.digest())
