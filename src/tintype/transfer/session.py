"""What a task works with: the trunk under test, data, and the training that its recipe wants."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, gather_object
from torch import Tensor, nn

from tintype.data import Photos
from tintype.networks.trunk import Trunk
from tintype.recipes.optim import learning_rate, make_optimizer, make_plan
from tintype.runtime.atomic import write_atomically
from tintype.training import AS_USUAL, Compute, TrainingError, train
from tintype.training.loop import Batch
from tintype.transfer.early_stopping import Decided, Watch, factor, without_held_out
from tintype.transfer.feed import S, feed
from tintype.transfer.recipe import EarlyStopping, Surgery, TransferRecipe
from tintype.transfer.sources import Sources
from tintype.transfer.subject import Subject, open_subject

B = TypeVar("B", bound=Batch)
N = TypeVar("N", bound=nn.Module)
T = TypeVar("T")


@dataclass
class Session:
    """One task on one trunk.

    Attributes:
        recipe: the task's.
        weights: of the trunk, as given.
        sources: data, as given.
        run: folder for all that is kept.
        facts: what has been learned about data, for the results and so that a resumed run is on the same.
        subject: the trunk under test, once it has been read.
        trained: the network that `fit` trained last.
    """

    accelerator: Accelerator
    recipe: TransferRecipe
    weights: str
    sources: Sources
    run: Path
    resume: bool = False
    compute: Compute = AS_USUAL
    facts: dict[str, str | int] = field(default_factory=dict)
    subject: Subject = field(init=False)
    trained: nn.Module | None = None

    @property
    def device(self) -> torch.device:
        device: torch.device = self.accelerator.device
        return device

    @property
    def share(self) -> tuple[int, int]:
        """Which process this is, and of how many."""
        return self.accelerator.process_index, self.accelerator.num_processes

    def trunk(self, pictures: Callable[[], Tensor], surgery: Surgery | None = None) -> Trunk:
        """The trunk under test, anew from its weights. `pictures` as of `open_subject`; surgery: the recipe's."""
        recipe = self.recipe
        done = surgery or recipe.surgery
        subject = open_subject(self.weights, recipe.trunk, done, pictures, self.device, recipe.seed)
        self.subject = subject
        return subject.trunk

    @property
    def _origin(self) -> str:
        """What the trunk under test was, which a resumed run must start from too."""
        return str(self.subject.described.get("sha256") or self.weights)

    def look(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) uint8 RGB to what the trunk sees, (B, C, H, W) in [0, 100]."""
        return self.subject.look(pixels)

    def parts(self, photos: Photos) -> tuple[Photos, Photos]:
        """Training photographs without those that early stopping holds out, and these; all, and none, without it."""
        less, held_out = without_held_out([photo.key for photo in photos], self.recipe.schedule)
        return photos.choose(np.array(less, np.int64)), photos.choose(np.array(held_out, np.int64))

    def feed(self, make: Callable[[int, np.random.Generator], S], count: int, start: int) -> Iterator[list[S]]:
        """This process's share of the recipe's batches from update `start` on; see `tintype.transfer.feed.feed`."""
        recipe, (rank, processes) = self.recipe, self.share
        return feed(
            make,
            count,
            batch_size=recipe.batch_size,
            seed=recipe.seed,
            steps=recipe.steps,
            start=start,
            workers=recipe.workers,
            rank=rank,
            world_size=processes,
        )

    def together(self, numbers: Sequence[int], work: Callable[[Sequence[int]], Sequence[T]]) -> list[T]:
        """What `work` makes of each of some different numbers, in order: each process does its share, and gets all."""
        rank, processes = self.share
        own = numbers[rank::processes]
        made = dict(gather_object(list(zip(own, work(own) if own else [], strict=True))))
        return [made[number] for number in numbers]

    def fit(
        self,
        build: Callable[[], N],
        *,
        parts: Callable[[N], Sequence[tuple[nn.Module, float]]],
        batches: Callable[[bool, int], Iterable[B]],
        loss: Callable[[nn.Module, B, int, int], Tensor],
        score: Callable[[nn.Module], Mapping[str, float]],
        rises: str,
    ) -> N:
        """Train as the recipe's schedule says.

        Args:
            build: the network before training, the same at each call.
            parts: of the network that are trained, each with its factor on the learning rate.
            batches: (whether a part of the training data is held out, updates made) to the batches that follow, this
                process's share of each.
            loss: as of `tintype.training.train`.
            score: figures on the part that is held out; only where one is. Nothing is measured on test data meanwhile.
            rises: which of them early stopping watches; the higher the better.

        Returns:
            The trained network, in evaluation mode.
        """
        schedule, base, steps = self.recipe.schedule, self.recipe.optimizer.lr, self.recipe.steps

        def run(folder: Path, held_out: bool, steps: int, rate: Callable[[int], float], **other: Any) -> N:
            network = self.trained = build()
            optimizer = make_optimizer(parts(network), self.recipe.optimizer)
            said = {
                "batches": lambda start: islice(batches(held_out, start), max(0, steps - start)),
                "validate": lambda *_: (),
                **other,
            }
            folder.mkdir(parents=True, exist_ok=True)
            trained: Any = train(
                self.accelerator,
                network,
                optimizer,
                folder,
                make_plan(self.recipe, steps),
                loss=loss,
                learning_rate=rate,
                facts={**self.facts, "weights": self._origin},
                compute=self.compute,
                resume=self.resume,
                **said,
            )
            return trained  # type: ignore[no-any-return]

        if not isinstance(schedule, EarlyStopping):
            network = run(self.run, False, steps, learning_rate(schedule, base, steps))
        else:
            decided = self._decide(schedule, build, run, batches, score, rises)
            stop = decided.stop or steps
            network = run(self.run, False, stop, lambda step: base * factor(decided, schedule, step))
        self.trained = network
        return network

    def _decide(
        self,
        schedule: EarlyStopping,
        build: Callable[[], nn.Module],
        run: Callable[..., nn.Module],
        batches: Callable[[bool, int], Iterable[B]],
        score: Callable[[nn.Module], Mapping[str, float]],
        rises: str,
    ) -> Decided:
        """Train on what is not held out until the score stops rising; what was decided is kept in decisions.jsonl."""
        folder, base, every = self.run / "held-out", self.recipe.optimizer.lr, self.recipe.validate_every
        watch = Watch(schedule, folder / "decisions.jsonl")
        finished = folder / "decided.json"
        if self.resume and finished.exists():
            read = json.loads(finished.read_text("utf-8"))
            build()
            if read["weights"] != self._origin:
                raise TrainingError(f"cannot resume: weights was {read['weights']}, and is now {self._origin}")
            return Decided(tuple(read["drops"]), read["stop"])

        def note(network: nn.Module, step: int) -> Mapping[str, float]:
            figures = score(network)
            if self.accelerator.is_main_process:
                watch.note(step, figures[rises])
            return figures

        def validate(network: nn.Module, step: int) -> Iterator[tuple[Mapping[str, float], int]]:
            yield note(network, step), 1  # by each process on all of what is held out

        def until_decided(start: int) -> Iterator[B]:
            watch.rewind(start)
            if start and start % every == 0 and start not in dict(watch.scores):  # stopped before it was measured
                assert self.trained is not None
                with torch.no_grad():
                    note(self.trained.eval(), start)
                self.trained.train()
            for step, batch in enumerate(batches(True, start), start=start):
                if step % every == 0:  # all go by what the first process decided
                    shared = [watch.decided]
                    broadcast_object_list(shared)
                    watch.decided = shared[0]
                if watch.decided.stop is not None:
                    return
                yield batch

        run(folder, True, self.recipe.steps, lambda s: base * watch.factor(s), batches=until_decided, validate=validate)
        decided = watch.decided
        if self.accelerator.is_main_process:
            told = json.dumps({**asdict(decided), "weights": self._origin}).encode()
            write_atomically(finished, lambda file: file.write(told + b"\n"), overwrite=True)
        self.accelerator.wait_for_everyone()
        return decided
