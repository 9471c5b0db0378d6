"""How to decode a trained classifier: figures over temperature, rebalancing kept and input size, held-out photographs.

    python bench/decoding.py runs/bundled --data PHOTOGRAPHS [--photos 300]

The photographs are the ones that the run's own recipe held out, so this chooses settings without the evaluation set.
Colours are enlarged bilinearly here; `tintype evaluate` measures the finished model. "keep" is the share of training's
class rebalancing that the predicted distribution keeps (`tintype export --rebalance`).
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

from _machine import describe
from tintype.color import lab_to_rgb, rebalancing_weights, rgb_to_lab
from tintype.data import open_photos
from tintype.data.decode import center_crop
from tintype.evaluate import Summary
from tintype.evaluate.measure import measure, true_colours
from tintype.evaluate.suite import as_json
from tintype.networks import build_network, load_weights
from tintype.objectives import Bins

Setting = tuple[int, float, float]  # size, keep, temperature


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", action="append", required=True, help="the photographs of the run")
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--picture", type=int, default=128, help="side of the pictures that are measured")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 160])
    parser.add_argument("--temperatures", type=float, nargs="+", default=[0.38, 0.6, 0.8, 1.0])
    parser.add_argument("--keep", type=float, nargs="+", default=[0.0, 0.25, 0.5, 0.75, 1.0])
    args = parser.parse_args()

    settings = list(itertools.product(args.sizes, args.keep, args.temperatures))
    sums = measure_held_out(args.run, args.data, args.photos, args.picture, settings)
    print(describe("torch", "timm"))
    print(f"{args.run.name}, {args.photos} held-out photographs at {args.picture} x {args.picture}")
    print("| size | keep | T | AuC | rebalanced | per image | PSNR | SSIM | colourfulness |")
    print("|---|---|---|---|---|---|---|---|---|")
    for key, f in sums.items():
        name = f"{key} | | " if isinstance(key, str) else " | ".join(str(k) for k in key)
        print(
            f"| {name} | {f['auc']:.2f} | {f['auc_rebalanced']:.2f} | {f['auc_rebalanced_per_image']:.2f} "
            f"| {f['psnr']:.2f} | {f['ssim']:.3f} | {f['colourfulness']:.1f} |"
        )


def measure_held_out(
    run: Path, data: list[str], photos: int, picture: int, settings: list[Setting]
) -> dict[Setting | str, dict[str, float]]:
    """Figures by (size, keep, temperature), and of "grey" and "true", as `tintype evaluate` has them.

    Args:
        run: folder of a finished run.
        data: the photographs of the run, of which it held some out.
        photos: how many of those to measure.
        picture: side of the squares that are measured.
        settings: what to try.
    """
    tensors, metadata = load_weights(run / "weights.safetensors")
    network = build_network(metadata["trunk"], metadata["head"], metadata["channels"], **metadata["head_options"])
    network.load_state_dict(tensors)
    network.eval()
    log_rarity = torch.tensor(metadata["rarity"]).log()[:, None, None]
    _, held_out = open_photos(data).split(metadata["settings"]["data"]["val_fraction"])
    order = np.random.default_rng(0).permutation(len(held_out))[:photos]
    pictures = [center_crop(held_out[int(i)].read(), picture) for i in order]
    weights = rebalancing_weights(np.load(run / "prior.npy"), uniform=0.0)

    keys = {"grey": "grey", **{str(setting): setting for setting in settings}, "ground-truth": "true"}
    summary = Summary(list(keys), resamples=0)
    for number, rgb in enumerate(tqdm(pictures, disable=None)):
        true = list(true_colours(rgb, weights))
        lab = rgb_to_lab(torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255)
        grey = _picture(lab, torch.zeros_like(lab[:, 1:]))
        measured = {"grey": measure(rgb, grey, true), "ground-truth": measure(rgb, rgb, true)}
        for size, group in itertools.groupby(settings, key=lambda setting: setting[0]):
            with torch.no_grad():
                logits = network(F.interpolate(lab[:, :1], (size, size), mode="bilinear", antialias=True))
            for setting in group:
                _, keep, temperature = setting
                ab = Bins().decode(logits - (1 - keep) * log_rarity, temperature)
                ab = F.interpolate(ab, lab.shape[2:], mode="bilinear")
                measured[str(setting)] = measure(rgb, _picture(lab, ab), true)
        summary.add(
            {
                "photograph": str(number),
                "colourfulness": measured["ground-truth"].colourfulness,
                "methods": {name: as_json(one) for name, one in measured.items()},
            }
        )
    return {
        keys[name]: {figure: value for figure, (value, _, _) in row.items()} for name, row in summary.figures().items()
    }


def _picture(lab: torch.Tensor, ab: torch.Tensor) -> np.ndarray:
    rgb = lab_to_rgb(torch.cat([lab[:, :1], ab], dim=1))[0].permute(1, 2, 0)
    return (rgb * 255).round().to(torch.uint8).numpy()


if __name__ == "__main__":
    main()
