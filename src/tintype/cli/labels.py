"""`tintype labels`: label studies, each a file that lists images and labels."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tintype.cli._options import finite
from tintype.cli._report import printable, say

if TYPE_CHECKING:
    from tintype.data.studies import Known
    from tintype.data.study_file import Study

EXAMPLES = """\b
Examples:
  tintype labels subset --per-class 100 --data imagenet/train -o imnt-100k.tsv
  tintype labels noise --share 0.1 --held-out 0.002 --data imagenet/train -o e10.tsv
  tintype labels random --buckets 16 --data imagenet/train -o r16.tsv
  tintype labels hierarchy --buckets 2 --data imagenet/train -o h2.tsv
  tintype labels hierarchy --buckets 3 --tree kinds.tsv --data shards/ -o h3.tsv
\b
  tintype pretrain classification-mini --data shards/ --labels e10.tsv
\b
docs/data.md tells how each study is made, and what its file looks like.
"""


@click.group(epilog=EXAMPLES)
def labels() -> None:
    """Makes other labels for labelled photographs: fewer, wrong, or coarser ones.

    Photographs have their labels by the folders of their classes, or by .cls files beside them in WebDataset tars.
    """


def _study(command: Callable[..., None]) -> Callable[..., None]:
    """The options that all studies have."""
    options = [
        click.option(
            "--data",
            "paths",
            multiple=True,
            required=True,
            metavar="PATH",
            help="Folder, list of files (.txt), WebDataset tar or URL. Repeatable.",
        ),
        click.option(
            "--labels",
            "base",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Start from the images and labels of another study.",
        ),
        click.option(
            "--held-out",
            type=click.FloatRange(0, 1, max_open=True),
            callback=finite,
            default=0.0,
            metavar="S",
            help="Share of the photographs to set aside and measure, such as 0.002.  [default: none]",
        ),
        click.option(
            "-o", "--output", "out", type=click.Path(path_type=Path), metavar="FILE", required=True, help="A new file."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


SEED = click.option("--seed", type=click.IntRange(0, 2**63), default=0, show_default=True, help="What chance follows.")


@labels.command()
@click.option("--per-class", type=click.IntRange(1), metavar="N", help="Images of each class.")
@click.option("--images", type=click.IntRange(1), metavar="N", help="Or images in all, spread evenly over the classes.")
@SEED
@_study
def subset(per_class: int | None, images: int | None, seed: int, **given: Any) -> None:
    """Fewer images: so many of each class."""
    from tintype.data.studies import subset as make

    if (per_class is None) == (images is None):
        raise click.UsageError("Give either --per-class or --images.")
    _write(lambda held: make(held, seed, per_class=per_class or 0, images=images or 0), **given)


@labels.command()
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    callback=finite,
    required=True,
    metavar="S",
    help="Share of wrong labels, such as 0.1.",
)
@SEED
@_study
def noise(share: float, seed: int, **given: Any) -> None:
    """Wrong labels: an exact share of images gets another class."""
    from tintype.data.studies import noise as make

    _write(lambda held: make(held, seed, share), **given)


@labels.command()
@click.option("--buckets", type=click.IntRange(2), required=True, metavar="N", help="How many.")
@SEED
@_study
def random(buckets: int, seed: int, **given: Any) -> None:
    """Coarser labels: classes put together at random."""
    from tintype.data.studies import random_buckets as make

    _write(lambda held: make(held, seed, buckets), **given)


@labels.command()
@click.option("--buckets", type=click.IntRange(2), required=True, metavar="N", help="How many.")
@click.option(
    "--tree",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What is a kind of what: lines CLASS<tab>PARENT.  [default: WordNet's hypernyms of ImageNet's classes]",
)
@_study
def hierarchy(buckets: int, tree: Path | None, **given: Any) -> None:
    """Coarser labels: classes put together by what they are kinds of."""
    from tintype.data.hierarchy import read_hierarchy, wordnet
    from tintype.data.studies import hierarchy_buckets as make

    _write(lambda held: make(held, buckets, wordnet() if tree is None else read_hierarchy(tree)), **given)


def _write(
    make: "Callable[[Known], Study]", paths: tuple[str, ...], base: Path | None, held_out: float, out: Path
) -> None:
    from tintype.data import DataError, open_photos
    from tintype.data.labels import labels_by_key
    from tintype.data.study_file import write_study

    try:
        if out.exists():
            raise click.ClickException(printable(f"{out} is there already: give another name, or remove it"))
        study = make(labels_by_key(open_photos(paths), base, held_out))
        write_study(out, study)
    except DataError as error:
        raise click.ClickException(printable(str(error))) from error
    except OSError as error:
        raise click.ClickException(printable(f"{error.filename or out}: {error.strerror or error}")) from error
    say(line if len(line) < 200 else f"{line[:197]}..." for line in study.about)
    click.echo(str(out))
