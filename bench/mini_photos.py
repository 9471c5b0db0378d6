"""Make a free set of pictures on which tables are built at their mini scales (docs/table.md: `photos`).

    python bench/mini_photos.py OUT [--scale 0.1]
    tintype table larsson17-3 --scale mini --data photos=OUT

train         4,000 pictures, short side 96: landscapes, streets, fruits, people, animals, flowers, materials, shapes;
              one in eight is cut from a photograph of scikit-image
tiny          20 shapes of 10 materials, 200 classes, 40 of each, 64 pixels; tiny-val has 10 others of each
small         six classes of scenes, 300 of each, 64 pixels
camvid-train  200 streets of 240x180 pixels, with the class of every pixel; camvid-test has 60 others

All but that eighth is painted here. As in nature, the structure of a thing tells something of its colours: grass,
bricks, skin, fruits, skies and water have a few palettes each; shirts and cars have many. Made again, it has the same
bytes. It wants a checkout installed with [dev], or with [train] and scikit-image.
"""

import argparse
import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image
from tqdm import tqdm

from _landscapes import LANDSCAPES, Shape
from _painting import Picture, jpeg, photograph
from _shapes import MATERIALS, SHAPES, close, shape_of
from _street import halved, street
from _things import animals, flowers, fruits, people
from tintype.data.palette import write_mask
from tintype.data.tar_writer import Member, TarWriter

TINY, STREET = (64, 64), (180, 240)
SHORT_SIDE, LONGEST = 96, 144
IN_A_TAR = 2000
CLASSES = [f"{shape}-{material}" for shape in SHAPES for material in MATERIALS]
SCENES: dict[str, Callable[[Generator, Shape], Picture]] = {
    **LANDSCAPES,
    "street": lambda rng, shape: street(rng, shape)[0],
}
KINDS: dict[str, tuple[float, Callable[[Generator, Shape], Picture]]] = {  # what is painted for train, and how often
    **{name: (1.0, paint) for name, paint in SCENES.items()},
    "fruit": (2.5, fruits),
    "people": (2.5, people),
    "animals": (2.0, animals),
    "flowers": (1.0, flowers),
    "material": (1.0, close),
    "shape": (
        2.0,
        lambda rng, shape: shape_of(rng, shape, str(rng.choice(list(SHAPES))), str(rng.choice(list(MATERIALS)))),
    ),
}
PHOTOGRAPHS = 1 / 8  # of train
README = """Made by `python bench/mini_photos.py`, of tintype: painted by it, but for train's pictures of other names,
which are cut from photographs that come with scikit-image:

astronaut  NASA, public domain
cat        Chelsea the cat, by Stefan van der Walt, CC0
coffee     by Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0
rocket     launch of DSCOVR on a Falcon 9, by SpaceX, public domain
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="a folder that is empty, or not there yet")
    parser.add_argument("--scale", type=float, default=1, help="so many times as many pictures [default: 1]")
    parser.add_argument("--seed", type=int, default=0, help="another one makes other pictures [default: 0]")
    args = parser.parse_args()
    if args.out.exists() and not args.out.is_dir():
        parser.error(f"{args.out} is not a folder")
    if args.out.exists() and any(args.out.iterdir()):
        parser.error(f"{args.out} is not empty: name another folder, or empty it")
    if not args.scale > 0 or args.seed < 0:
        parser.error("--scale must be above 0, and --seed not below")
    make(args.out, args.scale, args.seed)


def make(out: Path, scale: float = 1, seed: int = 0) -> None:
    """Make the whole set in a folder."""

    def count(whole: int) -> int:
        return max(1, round(whole * scale))

    cut = photographs()
    out.mkdir(parents=True, exist_ok=True)
    (out / "README.txt").write_text(README)
    write_tars(out, "train", train(cut, seed, count(4000)), count(4000))
    for part, each in (("tiny", count(40)), ("tiny-val", count(10))):
        write_tars(out, part, tiny(part, seed, each), each * len(CLASSES))
    write_tars(out, "small", small(seed, count(300)), count(300) * len(SCENES))
    for part, whole in (("camvid-train", count(200)), ("camvid-test", count(60))):
        write_streets(out / part, part, seed, whole)


def random(seed: int, part: str, number: int) -> Generator:
    """Of one picture alone, so that it is the same whatever is made besides it."""
    return np.random.default_rng([seed, *part.encode(), number])


def train(cut: Mapping[str, Image.Image], seed: int, count: int) -> Iterator[list[Member]]:
    weights = np.array([weight for weight, _ in KINDS.values()])
    for number in range(count):
        rng = random(seed, "train", number)
        long = int(rng.integers(SHORT_SIDE, LONGEST + 1))
        shape = (SHORT_SIDE, long) if rng.random() < 0.7 else (long, SHORT_SIDE)
        if rng.random() < PHOTOGRAPHS:
            name = str(rng.choice(list(cut)))
            image = crop(rng, cut[name], shape)
        else:
            name = str(rng.choice(list(KINDS), p=weights / weights.sum()))
            image = painted(rng, KINDS[name][1], shape)
        yield [(f"{name}-{number:05}.jpg", jpeg(image))]


def tiny(part: str, seed: int, each: int) -> Iterator[list[Member]]:
    for number, (_, name) in enumerate(itertools.product(range(each), CLASSES)):
        rng = random(seed, part, number)
        kind, material = name.split("-")
        image = painted(rng, partial(shape_of, kind=kind, material=material), TINY)
        yield labelled(f"{part}-{number:05}", image, name)


def small(seed: int, each: int) -> Iterator[list[Member]]:
    for number, (_, name) in enumerate(itertools.product(range(each), SCENES)):
        yield labelled(f"scene-{number:05}", painted(random(seed, "small", number), SCENES[name], TINY), name)


def painted(rng: Generator, paint: Callable[[Generator, Shape], Picture], shape: Shape) -> Image.Image:
    return photograph(rng, paint(rng, (2 * shape[0], 2 * shape[1])))


def labelled(key: str, image: Image.Image, name: str) -> list[Member]:
    return [(f"{key}.jpg", jpeg(image)), (f"{key}.cls", name.encode())]


def photographs() -> Mapping[str, Image.Image]:
    """Those in colour that come with scikit-image itself and are in the public domain or CC0."""
    try:
        from skimage import data
    except ImportError as error:
        raise SystemExit("scikit-image is missing: pip install scikit-image") from error
    made = {"astronaut": data.astronaut, "cat": data.chelsea, "coffee": data.coffee, "rocket": data.rocket}
    return {name: Image.fromarray(load()) for name, load in made.items()}


def crop(rng: Generator, whole: Image.Image, shape: Shape) -> Image.Image:
    """A random part of a photograph, perhaps mirrored, at that size."""
    height, width = shape
    largest = min(whole.width / width, whole.height / height)
    times = rng.uniform(min(1, largest), largest)
    left, top = rng.uniform(0, whole.width - times * width), rng.uniform(0, whole.height - times * height)
    box = left, top, min(left + times * width, whole.width), min(top + times * height, whole.height)
    part = whole.resize((width, height), Image.Resampling.LANCZOS, box)
    return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else part


def write_tars(out: Path, part: str, samples: Iterator[list[Member]], count: int) -> None:
    folder = out / part
    folder.mkdir()
    samples = iter(tqdm(samples, part, count, disable=None))
    for number in range(-(-count // IN_A_TAR)):
        tar = TarWriter(folder / f"{part}-{number:02}.tar")
        try:
            for members in itertools.islice(samples, IN_A_TAR):
                tar.add(members)
            tar.finish()
        except BaseException:
            tar.discard()
            raise


def write_streets(folder: Path, part: str, seed: int, count: int) -> None:
    folder.mkdir()
    for number in tqdm(range(count), part, disable=None):
        rng = random(seed, part, number)
        picture, ids = street(rng, (2 * STREET[0], 2 * STREET[1]))
        (folder / f"street-{number:03}.jpg").write_bytes(jpeg(photograph(rng, picture), 92))
        write_mask(folder / f"street-{number:03}.png", halved(ids))


if __name__ == "__main__":
    main()
