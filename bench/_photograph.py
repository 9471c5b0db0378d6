"""A test photograph of any size, made here: no network access, no files of other people."""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import astronaut


def save_photograph(path: Path, width: int, height: int, mode: str) -> Path:
    """scikit-image's astronaut (NASA, public domain), enlarged, with grain: about what a scan weighs as JPEG.

    Args:
        mode: "L", "RGB", or "grey RGB" for three equal channels.
    """
    picture = (
        Image.fromarray(astronaut())
        .convert("RGB" if mode == "RGB" else "L")
        .resize((width, height), Image.Resampling.BICUBIC)
    )
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 5, (256, 1024, 1)).astype(np.int16)
    pixels = np.asarray(picture).reshape(height, width, -1)
    out = np.empty_like(pixels)
    for top in range(0, height, 256):
        rows = min(256, height - top)
        across = np.tile(grain[:rows], (1, -(-width // 1024), 1))[:, :width]
        out[top : top + rows] = (pixels[top : top + rows] + across).clip(0, 255)
    Image.fromarray(out.squeeze()).convert("L" if mode == "L" else "RGB").save(path, quality=92)
    return path


def free_photographs() -> dict[str, np.ndarray]:
    """All colour photographs of scikit-image and scikit-learn, free to publish (docs/pictures/LICENSE.md)."""
    import skimage.data
    from sklearn.datasets import load_sample_image

    return {
        "astronaut": skimage.data.astronaut(),
        "cat": skimage.data.chelsea(),
        "coffee": skimage.data.coffee(),
        "rocket": skimage.data.rocket(),
        "palace": load_sample_image("china.jpg"),
        "flower": load_sample_image("flower.jpg"),
    }
