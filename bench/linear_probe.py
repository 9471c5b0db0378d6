"""What a probe of five AlexNet layers in one pass costs beside the trunk's own forward pass.

    python bench/linear_probe.py [BATCH] [FOLDER OR TAR ...]

`tintype transfer linear`'s network and settings on AlexNet with batch-norm, conv1 to conv5, 1,000 classes, crops of 224
pixels; on the GPU where there is one.

forward         the frozen trunk alone, in evaluation mode, without gradients
probe           an update of all five probes: forward pass, pooling, batch-norms, classifiers, gradients, SGD
one by one      five updates, each with one layer's probe and a forward pass up to that layer: what one pass saves

Each takes its turn, the best of a few. Then, where photographs are given, what the loader brings: images/s of two
workers decoding and cropping alone, and the probe's updates fed by them, relative to the slower of the two.
"""

import sys
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from _machine import describe
from tintype.data import batches, open_photos
from tintype.networks import build_trunk
from tintype.recipes.look import look
from tintype.recipes.optim import make_optimizer
from tintype.transfer.linear import LinearRecipe, Probes
from tintype.transfer.recipe_file import load_task

LAYERS = ["conv1", "conv2", "conv3", "conv4", "conv5"]
CLASSES, ROUNDS, UPDATES = 1000, 4, 6


def update_of(
    recipe: LinearRecipe, layers: list[str], device: torch.device
) -> tuple[Probes, Callable[[Tensor, Tensor], None]]:
    trunk = build_trunk("alexnet_bn")
    trunk.end_at(layers[-1])
    probes = Probes(trunk.to(device), layers, CLASSES, recipe, "alexnet_bn").to(device).train()
    optimizer = make_optimizer([(probes.probes, 1.0)], recipe.optimizer)

    def update(picture: Tensor, classes: Tensor) -> None:
        logits = probes(picture).float()
        loss = F.cross_entropy(logits.flatten(0, 1), classes.repeat(len(logits))) * len(logits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return probes, update


def seconds(step: Callable[[], object], device: torch.device) -> float:
    """Of the processor, so that other work on the machine matters less, or of the GPU."""
    if device.type == "cpu":
        start = time.process_time()
        step()
        return (time.process_time() - start) / torch.get_num_threads()
    torch.cuda.synchronize()
    return wall(lambda: (step(), torch.cuda.synchronize()))


def wall(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main(batch: int, photos: list[str]) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(describe("torch"))
    print(torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} threads")
    recipe = load_task("linear")
    assert isinstance(recipe, LinearRecipe)
    torch.manual_seed(0)
    probes, update = update_of(recipe, LAYERS, device)
    single = [update_of(recipe, [layer], device)[1] for layer in LAYERS]
    picture = 100 * torch.rand(batch, 1, recipe.crop, recipe.crop, device=device)
    classes = torch.randint(CLASSES, (batch,), device=device)

    @torch.no_grad()
    def forward() -> None:
        probes.trunk(picture)

    ways = {
        "forward": forward,
        "probe": lambda: update(picture, classes),
        "one by one": lambda: [one(picture, classes) for one in single],
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, way in ways.items():
            best[name] = min(best[name], seconds(way, device))
    for name, time_ in best.items():
        ratio = time_ / best["forward"]
        limit = "  (limit 1.3)" if name == "probe" else ""
        print(f"{name:11} {time_:7.3f} s  {batch / time_:7.0f} images/s  {ratio:5.2f} x{limit}")
    if not photos:
        return

    def fed() -> Iterator[Tensor]:
        found = batches(
            open_photos(photos),
            batch_size=batch,
            crop=recipe.crop,
            seed=0,
            steps=UPDATES + 1,
            scale=(0.875, 0.875),
            workers=2,
        )
        next(found)
        yield from found

    def decode() -> None:
        for _ in fed():
            pass

    def both() -> None:
        for pixels in fed():
            update(look(pixels.to(device), "mean"), classes)

    loading, together = (UPDATES * batch / wall(way) for way in (decode, both))
    bound = min(loading, batch / best["probe"])
    fed_at = f"probe fed by it {together:.0f} images/s = {together / bound:.2f} of the slower"
    print(f"loader alone {loading:.0f} images/s; {fed_at}")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main(numbers[0] if numbers else 256, [word for word in sys.argv[1:] if not word.isdigit()])
