"""From a table at a scale to the runs that it needs: each once, whoever needs it, named by what it follows from."""

import glob
import hashlib
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tintype.data.photos import expanded
from tintype.pretrain import load_recipe
from tintype.recipes import RecipeError, flatten
from tintype.recipes.file import FREE_KEYS
from tintype.tables.spec import BESIDE, STUDY, Made, Measured, Ours, Scale, Table
from tintype.transfer.detect.recipe import IN_RUN
from tintype.transfer.recipe_file import load_task

_NAME = re.compile(r"{(\w[\w-]*)}")
_ROLE = re.compile(r"^(train|test|val)=")
Follows = dict[str, Any]  # values of a recipe, by dotted keys
_NO_MATTER = FREE_KEYS - {"steps", "validate_every", "proposals"}  # keys of recipes that no result follows from
_SHARED = "proposals={shared}"  # hours of selective search on VOC07, which every detection would do again


@dataclass(frozen=True)
class Run:
    """One command.

    Attributes:
        name: of its folder; it changes with whatever the run follows from: its words, its recipe, and other runs.
        kind: labels, pretrain, export, transfer or evaluate.
        words: of the command, after `tintype`; {NAME} stands for the folder of another run.
        result: the file in its folder that is there once it is done.
        needs: names of other runs.
        given: what it reads of this machine's files and folders, as `--data` says.
        minutes: that it took on one core of a processor where it was measured; 0: not known.
        batch_size: of what it trains; 0: nothing.
    """

    name: str
    kind: str
    words: tuple[str, ...]
    result: str
    needs: tuple[str, ...] = ()
    minutes: float = 0.0
    batch_size: int = 0
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """Where a cell's figure stands, in the results of one run for each seed, and the ends of its whiskers, if any."""

    runs: tuple[str, ...]
    path: str
    low: str = ""
    high: str = ""


@dataclass
class Plan:
    """Attributes:
    runs: by name, each after those that it needs.
    cells: by row and column.
    not_run: reasons, likewise.
    """

    runs: dict[str, Run] = field(default_factory=dict)
    cells: dict[tuple[str, str], Figure] = field(default_factory=dict)
    not_run: dict[tuple[str, str], str] = field(default_factory=dict)


def make_plan(
    table: Table,
    scale: str,
    data: Mapping[str, Sequence[str]],
    *,
    only: Sequence[str] = (),
    seeds: int | None = None,
    pretrainings: int | None = None,
) -> Plan:
    """What a table needs.

    Args:
        table: as it was read.
        scale: one of its scales.
        data: paths by the names that the scale has.
        only: rows; empty: all.
        seeds: of each task, in place of the scale's and columns' own numbers.
        pretrainings: how many times each pretraining is done, with seeds from 0, in place of the scale's own number;
            tasks take turns with them.

    Raises:
        RecipeError: there is no such scale, row or recipe, or data is missing; in one line.
    """
    if scale not in table.scales:
        raise RecipeError(f"{table.name} has no scale {scale}; it has {', '.join(table.scales)}")
    chosen = table.scales[scale]
    strange = next((row for row in only if row not in table.rows), None)
    if strange is not None:
        raise RecipeError(f"{table.name} has no row {strange}; it has {', '.join(table.rows)}")
    maker, again = _Maker(chosen, data), pretrainings or chosen.pretrainings
    for row in only or table.rows:
        ours = chosen.rows.get(row, Ours(not_run=_missing(row, [scale.rows for scale in table.scales.values()])))
        for column in table.columns:
            reason = _not_run(ours, table, chosen, column)
            if reason:
                maker.plan.not_run[row, column] = reason
                continue
            count = seeds or chosen.columns[column].seeds or chosen.seeds
            runs = [maker.task(ours, column, seed, seed % again) for seed in range(count)]
            asked = chosen.columns[column]
            path = asked.figure
            if ours.weights in BESIDE:
                path = path.replace("{model}", ours.weights)
            maker.plan.cells[row, column] = Figure(tuple(dict.fromkeys(runs)), path, asked.low, asked.high)
    return maker.plan


def _not_run(ours: Ours, table: Table, scale: Scale, column: str) -> str:
    if column not in scale.columns:
        return ours.not_run or _missing(column, [scale.columns for scale in table.scales.values()])
    if scale.columns[column].task == STUDY:
        return ours.not_run or "people are asked: --study FILE.json"
    return ours.not_run or ours.without.get(column, "")


def _missing(name: str, scales: Sequence[Mapping[str, Any]]) -> str:
    """Why a row or column has no runs."""
    return "not at this scale" if any(name in scale for scale in scales) else "as published; no run makes it"


class _Maker:
    """Adds runs to a plan."""

    def __init__(self, scale: Scale, data: Mapping[str, Sequence[str]]):
        self.plan, self._scale, self._data = Plan(), scale, data
        self._recipes: dict[tuple[str, tuple[str, ...]], Follows] = {}

    def task(self, ours: Ours, column: str, seed: int, pretraining: int) -> str:
        """The run that measures a row's weights; its name."""
        asked = self._scale.columns[column]
        weights = self.weights(ours.weights, pretraining)
        if asked.task == "evaluate":
            return self._evaluation(ours, asked, weights)
        words = ["transfer", asked.task, "--weights", weights, *self._given(asked.data)]
        settings = [*self._filled((*asked.set, *ours.set, *ours.set_in.get(column, ()))), f"seed={seed}"]
        if asked.after:
            settings.append(f"after={{{self.task(ours, asked.after, seed, pretraining)}}}")
        recipe = self._resolved(load_task, asked.task, settings)
        apart = [_SHARED] if recipe.get("proposals") == IN_RUN else []
        return self._add("transfer", recipe["task"], words, "results.json", asked.minutes, settings, recipe, apart)

    def weights(self, name: str, seed: int) -> str:
        """What --weights is given: a run's folder for a `Made`, or the word itself."""
        return f"{{{self.made(name, seed)}}}" if name in self._scale.made else name

    def made(self, name: str, seed: int) -> str:
        """The run that makes a `Made`; its name."""
        made = self._scale.made[name]
        if made.labels:
            return self._labels(made, seed)
        words = ["pretrain", made.recipe, *self._given(made.data)]
        settings = [*self._filled(made.set), f"seed={seed}"]
        if made.study:
            words += ["--labels", f"{{{self.made(made.study, seed)}}}/labels.tsv"]
        if made.start:
            settings.append(f"pretrained={{{self.made(made.start, seed)}}}/weights.safetensors")
        recipe = self._resolved(load_recipe, made.recipe, settings)
        return self._add("pretrain", made.recipe, words, "weights.safetensors", made.minutes, settings, recipe)

    def _labels(self, made: Made, seed: int) -> str:
        words = ["labels", *made.labels.split(), *self._given(made.data)]
        words += [] if made.labels.startswith("hierarchy") else ["--seed", str(seed)]
        return self._add("labels", made.labels.split()[0], words, "labels.tsv", made.minutes)

    def _evaluation(self, ours: Ours, asked: Measured, weights: str) -> str:
        if ours.weights in self._scale.made:
            exported = self._add("export", "model", ["export", weights], "model.onnx", 0)
            weights = f"{{{exported}}}/model.onnx"
        elif weights in BESIDE:
            weights = "bundled"
        words = ["evaluate", *self._paths(asked.data), "--model", weights, "--json", *self._filled(asked.options)]
        named = [word for word in asked.options if _NAME.search(word)]
        given = [*self._paths(asked.data), *self._filled(named)]
        return self._add("evaluate", "evaluate", words, "results.json", asked.minutes, given=given)

    def _resolved(self, load: Callable[[str, Sequence[str]], Any], recipe: str, settings: Sequence[str]) -> Follows:
        """A recipe's values with settings and defaults, as far as results follow from them."""
        named = tuple(_NAME.sub(r"\1", setting) for setting in settings)
        if (recipe, named) not in self._recipes:
            values = flatten(asdict(load(recipe, named)))
            self._recipes[recipe, named] = {key: values[key] for key in values if key not in _NO_MATTER}
        return self._recipes[recipe, named]

    def _add(
        self,
        kind: str,
        title: str,
        words: Sequence[str],
        result: str,
        minutes: float,
        settings: Sequence[str] = (),
        recipe: Follows | None = None,
        apart: Sequence[str] = (),
        given: Sequence[str] = (),
    ) -> str:
        """A run, unless it is there already. What it needs stands in its words and settings; of settings `apart` no
        result follows."""
        found = (name for word in (*words, *settings) for name in _NAME.findall(word))
        needs = tuple(dict.fromkeys(name for name in found if name in self.plan.runs))
        weights = words[3:4] if kind == "transfer" else []  # such as `random`, which is no folder
        spelled = [word if word in weights else self._absolute(word) for word in words[2 if recipe else 1 :]]
        follows = [kind, spelled, {key: self._absolute(value) for key, value in recipe.items()} if recipe else None]
        digest = hashlib.sha256(json.dumps(follows, sort_keys=True, default=str).encode()).hexdigest()[:8]
        name = re.sub(r"[^\w-]", "-", f"{Path(title).stem}-{digest}")
        full = (*words, *(word for setting in (*settings, *apart) for word in ("--set", setting)))
        batch_size = int(recipe["batch_size"]) if recipe and "batch_size" in recipe else 0
        if "--data" in words:
            given = [_ROLE.sub("", after) for word, after in itertools.pairwise(words) if word == "--data"]
        self.plan.runs.setdefault(name, Run(name, kind, full, result, needs, minutes, batch_size, tuple(given)))
        return name

    def _given(self, data: Sequence[str]) -> list[str]:
        return [word for path in self._paths(data) for word in ("--data", path)]

    def _paths(self, data: Sequence[str]) -> list[str]:
        return [path for entry in data for path in self._expanded(entry)]

    def _expanded(self, entry: str) -> Iterator[str]:
        """The paths that an entry such as `train={photos}/train-*.tar` stands for, with what goes before them."""
        role, equals, pattern = entry.partition("=")
        role, pattern = (f"{role}=", pattern) if equals else ("", entry)
        found = _NAME.search(pattern)
        for path in self._given_for(found[1]) if found else [""]:
            full = pattern.replace(found[0], path, 1) if found else pattern
            paths = sorted(glob.glob(full)) if glob.has_magic(pattern) else [full]
            if not paths:
                raise RecipeError(f"nothing is at {full}")
            yield from (role + each for each in paths)

    def _filled(self, words: Sequence[str]) -> list[str]:
        return [_NAME.sub(lambda found: self._given_for(found[1])[0], word) for word in words]

    def _absolute(self, value: Any) -> Any:
        """With absolute paths of data, so that another spelling of the same place is the same run."""
        if isinstance(value, list | tuple):
            return [self._absolute(one) for one in value]
        for path in (path for paths in self._data.values() for path in paths if "://" not in path):
            if isinstance(value, str) and (
                found := re.search(rf"(?:^|=)({re.escape(path.rstrip('/'))})(?:/|$)", value)
            ):
                value = value[: found.start(1)] + os.path.abspath(path) + value[found.end(1) :]
        return value

    def _given_for(self, name: str) -> Sequence[str]:
        if name not in self._data:
            raise RecipeError(f"say where {name} is ({self._scale.data[name]}): --data {name}=PATH")
        return [path.rstrip("/") or path for path in self._data[name]]


def by_urgency(runs: Sequence[Run]) -> list[Run]:
    """Runs, those first that the longest way to the end of the plan begins with, so that none is waited for in vain.

    Args:
        runs: in the plan's order. Of those of unknown length each counts as a minute.
    """
    left: dict[str, float] = {}
    for run in reversed(runs):
        left[run.name] = left.get(run.name, 0.0) + (run.minutes or 1.0)
        for need in run.needs:
            left[need] = max(left.get(need, 0.0), left[run.name])
    return sorted(runs, key=lambda run: -left[run.name])


def missing_data(run: Run) -> list[str]:
    """What a run is given of this machine's files and folders, and is not there."""
    paths = (path for given in run.given if "://" not in given for path in expanded(given))
    return [path for path in paths if not os.path.exists(path)]


def command_of(run: Run, folder: Path) -> list[str]:
    """The words of a run's command after `tintype`, with the folders that they stand for.

    Args:
        folder: with the folders of all runs; boxes proposed for detection are kept beside it.
    """

    def there(word: str) -> str:
        if word == _SHARED:
            return f"proposals={os.path.abspath(folder.parent / 'proposals')}"
        return _NAME.sub(lambda found: str(folder / found[1]) if found[1] in run.needs else found[0], word)

    words = [there(word) for word in run.words]
    out = folder / run.name
    if run.kind in ("labels", "export"):
        return [*words, "-o", str(out / run.result)]
    return words if run.kind == "evaluate" else [*words, "--out", str(out)]
