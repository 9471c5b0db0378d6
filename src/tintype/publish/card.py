"""The model card: README.md with the YAML front matter that the Hub reads, from what a model says of itself."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tintype.evaluate.figures import FIGURES
from tintype.publish.layout import Layout
from tintype.runtime.hub import BUNDLE

# https://huggingface.co/docs/hub/repositories-licenses, those that are anybody's to use
_LICENCES = """
afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0
cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0
cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0
cdla-sharing-1.0 ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 gfdl gpl gpl-2.0 gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0 lgpl-lr
lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1 openrail openrail++ osl-3.0 pddl postgresql unknown unlicense wtfpl
zlib
"""
_SIGNATURE = "<!-- Written by tintype, which writes it anew as long as nobody else changed it: {} -->\n"
_SIGNED = re.compile(re.escape(_SIGNATURE).replace(r"\{\}", "([0-9a-f]{64})"))

_COLORIZER = """\
Colorizes black-and-white photographs, with tintype and its extra `hub`:

```sh
tintype colorize old.jpg --model {repository}
```

```python
from tintype import Colorizer

Colorizer("{repository}")("old.jpg").save("new.jpg")
```

It is fetched once, and then works without network.
"""
_LEARNER = """\
Weights of a network, to learn further with. With tintype and its extras `train`, `transfer` and `hub`:

```sh
tintype transfer linear --weights {repository} --data labelled/
tintype pretrain RECIPE --data photos/ --set pretrained={repository}
```
"""
_LIMITS = """\
## Limits

Colours are guesses: plausible, not a record. A colorized photograph is no evidence of how anything looked.
"""


def make_card(layout: Layout, repository: str) -> str:
    """The whole README.md, signed."""
    colorizes = layout.name == BUNDLE
    parts = [
        front_matter(layout),
        f"# {repository.partition('/')[2]}\n",
        (_COLORIZER if colorizes else _LEARNER).format(repository=repository),
        "## What it is\n\n" + "".join(_table([("", ""), *_facts(layout.metadata)])),
        *_figures(layout.metadata),
        *([_LIMITS] if colorizes else []),
    ]
    return sign("\n".join(parts))


def front_matter(layout: Layout) -> str:
    """The Hub's metadata as YAML between two lines of dashes."""
    colorizes, about = layout.name == BUNDLE, layout.metadata
    colour = about.get("objective") in ("bins", "regression", "histograms")
    tags = ["colorization"] if colour else []
    tags += ["onnx"] if colorizes else ["self-supervised-learning", "safetensors"]
    tags.append(str(about["trunk"]).removeprefix("timm:"))
    lines = [
        *_licence(str(about.get("license", "unknown"))),
        "library_name: tintype",
        f"pipeline_tag: {'image-to-image' if colorizes else 'image-feature-extraction'}",
        f"tags: {json.dumps(tags)}",
    ]
    return "".join(f"{line}\n" for line in ("---", *lines, "---"))


def sign(text: str) -> str:
    """Add the line by which `is_unedited` knows a text again."""
    return f"{text}\n{_SIGNATURE.format(_hash(text))}"


def is_unedited(card: str) -> bool:
    """Whether `sign` wrote a text, and nobody has changed it since."""
    text, _, last = card[:-1].rpartition("\n")
    match = _SIGNED.fullmatch(f"{last}\n")
    return match is not None and match[1] == _hash(text)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _licence(identifier: str) -> Iterator[str]:
    """From an SPDX identifier to the Hub's, which are in small letters and lack the newer endings."""
    name = re.sub(r"-(only|or-later)$", "", identifier.lower())
    if name in _LICENCES.split():
        yield f"license: {name}"
    else:
        yield "license: other"
        yield f'license_name: "{re.sub(r"[^a-z0-9.]+", "-", name).strip("-") or "unnamed"}"'


def _facts(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "network", "trunk " + str(about["trunk"]) + (f", head {about['head']}" if "head" in about else "")
    for key, label in (("objective", "objective"), ("recipe", "recipe"), ("steps", "steps"), ("data", "trained on")):
        if about.get(key):
            yield label, str(about[key])
    if "input_size" in about:
        yield "sees photographs at", f"about {about['input_size']} x {about['input_size']} pixels"
    yield "licence", str(about.get("license", "unknown"))
    if versions := about.get("versions"):
        yield "made with", ", ".join(f"{program} {version}" for program, version in versions.items())


def _figures(about: Mapping[str, Any]) -> Iterator[str]:
    figures, before = about.get("figures") or {}, about.get("previous") or {}
    if figures:
        rows = [("", "this model", *(["the one before"] if before else []))]
        for name, value in figures.items():
            values = [value, *([before.get(name)] if before else [])]
            known = FIGURES.get(name)
            texts = (known.text(each) if known else "" if each is None else f"{each:.4g}" for each in values)
            rows.append((known.head if known else name, *texts))
        yield f"## Figures\n\nAs the model carries them (`tintype evaluate` measures them).\n\n{''.join(_table(rows))}"


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Markdown; the first row is the head."""
    for number, row in enumerate(rows):
        yield "| " + " | ".join(" ".join(cell.split()).replace("|", r"\|") for cell in row) + " |\n"
        if number == 0:
            yield "|" + "---|" * len(row) + "\n"
