"""A tiny training task for the loop's tests: a convolutional regression with dropout on made-up batches."""

import json
from pathlib import Path

import torch
from torch import nn

from tintype.training import Compute, Plan, launch, train


def network(dropout: float = 0.5) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Dropout(dropout), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 1, 1)
    )


def batch(step: int, first: int = 0, size: int = 8) -> torch.Tensor:
    everything = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(step))
    return everything[first : first + size]


def run(
    folder: Path,
    steps: int = 10,
    resume: bool = False,
    *,
    on_loss=None,
    optimizer=None,
    dropout=0.5,
    facts=None,
    names=None,
    compute=None,
    validate=None,
    **plan,
) -> nn.Module:
    """Train; `on_loss(step, loss)` may replace the loss of a step."""
    accelerator = launch()
    folder.mkdir(exist_ok=True, parents=True)
    share = 8 // accelerator.num_processes
    model = network(dropout)

    def loss(model, images, step, first):
        value = (model(images) - images.flip(-1)).square().mean()
        return value if on_loss is None else on_loss(step, value)

    return train(
        accelerator,
        model,
        optimizer(model) if optimizer else torch.optim.AdamW(model.parameters()),
        folder,
        Plan(**{"steps": steps, "seed": 1, "ema": 0.9, "log_every": 3, "checkpoint_every": 4, **plan}),
        batches=lambda start: (batch(step, accelerator.process_index * share, share) for step in range(start, steps)),
        loss=loss,
        learning_rate=lambda step: 1e-2 / (1 + step),
        validate=validate or (lambda model, step: [({"val_loss": float(model(batch(99)).mean())}, 1)]),
        names=names,
        facts=facts,
        compute=compute or Compute(),
        resume=resume,
    )


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("images_per_second", "waiting_for_data")} for line in lines]


def assert_same_weights(a, b):
    for (name, x), (other, y) in zip(a.state_dict().items(), b.state_dict().items(), strict=True):
        assert name == other
        assert torch.equal(x, y), name
