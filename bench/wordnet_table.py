"""Makes src/tintype/data/wordnet/hypernyms.tsv: the hypernyms of ImageNet's 1,000 classes, from WordNet 3.0.

    python bench/wordnet_table.py [/usr/share/wordnet/data.noun]

data.noun comes with Debian's package wordnet-base, in WordNet's own format (wndb(5WN)). A synset id such as n02084071
is the place of its line in that file, which holds for version 3.0 only. Of several hypernyms, the first one counts.
"""

import sys
from pathlib import Path

from timm.data.imagenet_info import ImageNetInfo

TABLE = Path(__file__).parents[1] / "src" / "tintype" / "data" / "wordnet" / "hypernyms.tsv"
HEADER = """\
# The hypernyms of ImageNet's 1,000 classes, up to entity: synset, its first hypernym, its first word.
# Derived from WordNet 3.0 by bench/wordnet_table.py. WordNet 3.0 Copyright 2006 by Princeton University.
# All rights reserved. Its licence is in the file LICENSE beside this one.
"""


def line_of(nouns: bytes, synset: str) -> list[str]:
    start = int(synset[1:])
    words = nouns[start : nouns.index(b"\n", start)].decode().partition(" | ")[0].split()
    if words[0] != synset[1:]:
        raise SystemExit(f"{synset} is not in this file: is it of WordNet 3.0?")
    return words


def parse(nouns: bytes, synset: str) -> tuple[str, str]:
    """The first hypernym, empty for entity, and the first word of a synset."""
    words = line_of(nouns, synset)
    pointers = words[4 + 2 * int(words[3], 16) + 1 :]  # offset, lexicographer file, type, count, words; then pointers
    parents = [f"n{place}" for kind, place in zip(pointers[::4], pointers[1::4], strict=False) if kind == "@"]
    return (parents[0] if parents else ""), words[4].replace("_", " ")


def main(path: str) -> None:
    nouns = Path(path).read_bytes()
    info = ImageNetInfo("imagenet-1k")
    waiting, rows = [info.index_to_label_name(number) for number in range(1000)], {}
    for synset in waiting:
        if synset not in rows:
            rows[synset] = parse(nouns, synset)
            waiting += filter(None, rows[synset][:1])
    lines = [f"{synset}\t{parent}\t{name}\n" for synset, (parent, name) in sorted(rows.items())]
    TABLE.write_text(HEADER + "".join(lines), encoding="utf-8")
    print(f"{TABLE.name}: {len(lines)} synsets")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["/usr/share/wordnet/data.noun"]))
