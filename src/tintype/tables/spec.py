"""A table as a file says it: rows with published figures, and for each scale what is run for them.

tables/recipes/*.yaml are the papers' tables; a file of one's own has the same form, which docs/table.md tells.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from tintype.evaluate.published import Mark, Quoted
from tintype.recipes import RecipeError, parse
from tintype.recipes.blocks import WholeNumber
from tintype.recipes.weights import BUNDLED, UNTRAINED

_PACKAGE = "tintype.tables"
STUDY = "study"  # the task of a column whose figures come from people
BESIDE = ("grey", "random", "ground-truth")  # methods that are evaluated beside any model
_QUOTED = re.compile(r"(?P<printed>-?\d+(\.\d+)?)( ?± ?(?P<margin>\d+(\.\d+)?))? (?P<mark>\w+)")


@dataclass(frozen=True)
class Made:
    """Something that rows start from.

    Attributes:
        recipe: a pretraining's recipe; or
        labels: a label study, in the words of `tintype labels`, such as `noise --share 0.1`.
        data: what it is given, with {NAME} for what `--data NAME=PATH` says; * and ? as in a shell.
        set: changed keys of the recipe, in which {NAME} stands for the (first) path too.
        study: of a pretraining with labels, the `Made` that its labels are.
        start: of a pretraining, the `Made` whose weights it starts from (`pretrained` in its recipe).
        minutes: that it took on one core of a processor, or, at the papers' scale, 0: not known.
    """

    recipe: str = ""
    labels: str = ""
    data: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    study: str = ""
    start: str = ""
    minutes: float = 0.0


@dataclass(frozen=True)
class Measured:
    """How a column's figure is made.

    Attributes:
        task: of `tintype transfer`, or `evaluate`; or `study`, which no run is for: its figures are the shares of
            people who were fooled, as `--study` gives them.
        figure: where it stands in the task's results, keys with dots between them; {model} is the evaluated model, and
            * the key whose figure is the best.
        data, set, minutes: as of `Made`.
        low, high: where the ends of its whiskers in a chart stand, in place of the seeds' standard deviation.
        options: more words for `tintype evaluate`, in which {NAME} stands for a path too.
        after: of the task shift, the column whose fine-tuned network it compares with.
        seeds: runs, in place of the scale's own number; 0: that.
    """

    task: str
    figure: str
    data: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    options: tuple[str, ...] = ()
    after: str = ""
    seeds: WholeNumber = 0
    minutes: float = 0.0


@dataclass(frozen=True)
class Ours:
    """How a row is made.

    Attributes:
        weights: a `Made`, or what `tintype transfer --weights` takes, such as random or kmeans. Where pictures are
            evaluated also grey, random or ground-truth, the methods that stand beside any model.
        set: changed keys of all its tasks.
        set_in: changed keys of single columns' tasks.
        without: its columns that are not run, with the reason.
        not_run: why none is.
    """

    weights: str = ""
    set: tuple[str, ...] = ()
    set_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)
    not_run: str = ""


@dataclass(frozen=True)
class Scale:
    """What is run at one scale.

    Attributes:
        about: in a line, how it differs from the paper.
        data: what each name of --data is to be.
        seeds: runs of each task.
        pretrainings: runs of each pretraining, with which the seeds of tasks take turns.
        made, columns, rows: by name. A column that another one comes `after` need not be in the table.
    """

    about: str
    data: Mapping[str, str]
    seeds: int
    pretrainings: int
    made: Mapping[str, Made]
    columns: Mapping[str, Measured]
    rows: Mapping[str, Ours]


@dataclass(frozen=True)
class Row:
    """A row of the paper."""

    title: str
    published: Mapping[str, Quoted]


@dataclass(frozen=True)
class Column:
    """A column of the paper.

    Attributes:
        title: its head.
        unit: of its figures.
        digits: after the point.
        best: whether higher or lower figures are better.
    """

    title: str
    unit: str = "%"
    digits: int = 1
    best: Literal["high", "low"] = "high"


@dataclass(frozen=True)
class Table:
    """A table of a paper.

    Attributes:
        source: where it was printed.
        protocol: the paper's, in words.
        plot: bars, or lines over the columns.
        expected: orderings that the paper shows, `[ROW, ROW]` or `[ROW, ROW, COLUMN]`, the first above the second; or
            `[ROW, COLUMN, ROW, COLUMN]`, the first cell above the second.
        whiskers: what those of its chart are, where its columns have `low` and `high`.
    """

    name: str
    title: str
    source: str
    protocol: str
    plot: Literal["bars", "lines"]
    columns: Mapping[str, Column]
    rows: Mapping[str, Row]
    scales: Mapping[str, Scale]
    expected: tuple[tuple[str, ...], ...] = ()
    whiskers: str = "their standard deviation"


def bundled_tables() -> list[str]:
    """Names of the tables that come with tintype."""
    files = resources.files(_PACKAGE).joinpath("recipes").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def load_table(table: str | Path) -> Table:
    """Read and check a table.

    Args:
        table: a bundled table's name, or a YAML file.

    Raises:
        RecipeError: there is no such table, or something in it is wrong; in one line.
    """
    source, text = _read(str(table))
    try:
        values = yaml.safe_load(text)
        if not isinstance(values, dict):
            raise RecipeError("a table is a block of keys and values")
        return _table(values)
    except yaml.YAMLError as error:
        raise RecipeError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from error
    except RecipeError as error:
        raise RecipeError(f"{source}: {error}") from error


def _read(table: str) -> tuple[str, str]:
    if table.endswith((".yaml", ".yml")) or "/" in table:
        try:
            return table, Path(table).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"{table}: cannot be read ({error})") from error
    names = bundled_tables()
    if table not in names:
        close = difflib.get_close_matches(table, names, 1, 0.5)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
        raise RecipeError(f"no table named {table!r}; {hint}")
    return f"table {table}", resources.files(_PACKAGE).joinpath("recipes", f"{table}.yaml").read_text("utf-8")


def _table(values: dict[str, Any]) -> Table:
    optional = ("expected", "whiskers")
    blocks = {
        "columns": lambda value, key: parse(Column, value, key),
        "rows": _row,
        "scales": _scale,
    }
    plain = {key: value for key, value in values.items() if key not in (*blocks, *optional)}
    for key, one in blocks.items():
        plain[key] = {name: one(value, f"{key}.{name}") for name, value in _block(values.get(key), key).items()}
    made = Table(**_texts(plain), expected=_pairs(values.get("expected", [])))
    made = replace(made, whiskers=str(values.get("whiskers", made.whiskers)))
    _check(made)
    return made


def _pairs(value: Any) -> tuple[tuple[str, ...], ...]:
    if not isinstance(value, list) or not all(isinstance(pair, list) for pair in value):
        raise RecipeError(f"key 'expected' is {value!r}; it must be a list of lists such as [ROW, ROW]")
    return tuple(tuple(map(str, pair)) for pair in value)


def _texts(values: dict[str, Any]) -> dict[str, Any]:
    known = {"name", "title", "source", "protocol", "plot", "columns", "rows", "scales"}
    strange = next((key for key in values if key not in known), None)
    if strange is not None:
        raise RecipeError(f"unknown key '{strange}'; there are {', '.join(sorted(known | {'expected', 'whiskers'}))}")
    missing = next((key for key in sorted(known) if key not in values), None)
    if missing is not None:
        raise RecipeError(f"missing key '{missing}'")
    if values["plot"] not in ("bars", "lines"):
        raise RecipeError(f"key 'plot' is {values['plot']!r}; it must be bars or lines")
    return values


def _row(value: Any, key: str) -> Row:
    block = _block(value, key)
    if set(block) - {"title", "published"} or "title" not in block:
        raise RecipeError(f"key '{key}' must have title and may have published, not {', '.join(map(str, block))}")
    figures = _block(block.get("published", {}), f"{key}.published")
    return Row(str(block["title"]), {name: _quoted(text, f"{key}.published.{name}") for name, text in figures.items()})


def _quoted(text: Any, key: str) -> Quoted:
    found = _QUOTED.fullmatch(str(text))
    if found is None or found["mark"] not in get_args(Mark):
        raise RecipeError(f"key '{key}' is {text!r}; it must be a figure and its mark, such as 36.2 V or 13.0 ± 4.4 M")
    return Quoted(found["printed"], found["mark"], found["margin"])  # type: ignore[arg-type]


def _scale(value: Any, key: str) -> Scale:
    block = _block(value, key)
    kinds = {"made": Made, "columns": Measured, "rows": Ours}
    known = {"about", "data", "seeds", "pretrainings", *kinds}
    if set(block) - known or not {"about", "data", "columns", "rows"} <= set(block):
        raise RecipeError(
            f"key '{key}' must have about, data, columns and rows, and may have made, seeds and pretrainings"
        )
    held: dict[str, Any] = {}
    for name, kind in kinds.items():
        inner = _block(block.get(name, {}), f"{key}.{name}")
        held[name] = {each: _parsed(kind, one, f"{key}.{name}.{each}") for each, one in inner.items()}
    data = {str(name): str(what) for name, what in _block(block["data"], f"{key}.data").items()}
    seeds, pretrainings = (_count(block.get(name, 1), f"{key}.{name}") for name in ("seeds", "pretrainings"))
    return Scale(str(block["about"]), data, seeds, pretrainings, **held)


def _count(value: Any, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise RecipeError(f"key '{key}' is {value!r}; it must be a whole number from 1")
    return value


def _parsed(kind: type, value: Any, key: str) -> Any:
    block = dict(_block(value, key))
    without, set_in = (block.pop(name, {}) if kind is Ours else {} for name in ("without", "set_in"))
    made: Any = parse(kind, block, key)
    if without:
        made = replace(made, without={name: str(why) for name, why in _block(without, key).items()})
    if set_in:
        settings = {}
        for name, words in _block(set_in, f"{key}.set_in").items():
            if not isinstance(words, list):
                raise RecipeError(f"key '{key}.set_in.{name}' is {words!r}; it must be a list of settings, KEY=VALUE")
            settings[name] = tuple(map(str, words))
        made = replace(made, set_in=settings)
    return made


def _block(value: Any, key: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RecipeError(f"key '{key}' is {value!r}; it must be a block of keys and values")
    return {str(name): one for name, one in value.items()}


def _check(table: Table) -> None:
    """Names that stand for something must be there."""
    for name, row in table.rows.items():
        _all_in(row.published, table.columns, f"rows.{name}.published")
    for pair in table.expected:
        if len(pair) not in (2, 3, 4):
            raise RecipeError(
                f"key 'expected' has {list(pair)}; it must be [ROW, ROW], [ROW, ROW, COLUMN] or "
                "[ROW, COLUMN, ROW, COLUMN]"
            )
        _all_in(pair[::2] if len(pair) == 4 else pair[:2], table.rows, "expected")
        _all_in(pair[1::2] if len(pair) == 4 else pair[2:], table.columns, "expected")
    for word, scale in table.scales.items():
        key = f"scales.{word}"
        _all_in(scale.rows, table.rows, f"{key}.rows")
        for name, made in scale.made.items():
            _all_in([each for each in (made.study, made.start) if each], scale.made, f"{key}.made.{name}")
            if bool(made.recipe) == bool(made.labels):
                raise RecipeError(f"key '{key}.made.{name}' must have either recipe or labels")
        for name, column in scale.columns.items():
            if bool(column.low) != bool(column.high):
                raise RecipeError(f"key '{key}.columns.{name}' must have both low and high, or neither")
            _all_in([column.after] if column.after else [], scale.columns, f"{key}.columns.{name}.after")
        fine_tuned = {column.after for column in scale.columns.values()}
        _all_in(set(scale.columns) - fine_tuned, table.columns, f"{key}.columns")
        for name, ours in scale.rows.items():
            _all_in(ours.without, table.columns, f"{key}.rows.{name}.without")
            _all_in(ours.set_in, scale.columns, f"{key}.rows.{name}.set_in")
            set_here = [column for column in scale.columns if column in ours.set_in or ours.set]
            if set_here and all(scale.columns[column].task in ("evaluate", STUDY) for column in set_here):
                raise RecipeError(f"key '{key}.rows.{name}' sets keys of transfers, of which its columns are none")
            words = ("", *scale.made, *UNTRAINED, *BESIDE, BUNDLED)  # none where it is not run
            if ours.weights not in words and not _may_be_place(ours.weights):
                there = ", ".join(words[1:])
                raise RecipeError(
                    f"key '{key}.rows.{name}.weights' is {ours.weights}; it must be a file, or one of {there}"
                )
            if bool(ours.weights) == bool(ours.not_run):
                raise RecipeError(f"key '{key}.rows.{name}' must have either weights or not_run")
        used = [(*one.data, *one.set) for one in scale.made.values()]
        used += [(*one.data, *one.set, *one.options) for one in scale.columns.values()]
        used += [one.set for one in scale.rows.values()]
        used += [words for one in scale.rows.values() for words in one.set_in.values()]
        for words in used:
            _all_in(re.findall(r"{(\w[\w-]*)}", " ".join(words)), scale.data, f"{key}.data")


def _may_be_place(weights: str) -> bool:
    """Whether these may be a file, a folder or a place on the Hub, there or elsewhere."""
    return any(sign in weights for sign in "/:.") or Path(weights).exists()


def _all_in(names: Any, known: Mapping[str, Any], key: str) -> None:
    strange = next((name for name in names if name not in known), None)
    if strange is not None:
        raise RecipeError(f"key '{key}' names {strange}, which is not there; there are {', '.join(known)}")
