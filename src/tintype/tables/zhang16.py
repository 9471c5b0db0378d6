"""Table 1 of Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016: the paper's rows beside ours."""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tintype.evaluate import Options, run
from tintype.evaluate.published import MARKS, ZHANG16_1, Row
from tintype.evaluate.run import Progress
from tintype.tables.runs import bundle, by_recipe, told
from tintype.tables.studied import Asked, read_study

# The paper's rows by the names that ours go by: reference rows, other people's pictures, recipes.
REFERENCE = {"Ground truth": "ground-truth", "Gray": "grey", "Random": "random"}
OTHERS = {"Dahl": "dahl", "Larsson et al.": "larsson"}
RECIPES = {
    "Ours (L2)": "zhang16-l2",
    "Ours (L2, ft)": "zhang16-l2-ft",
    "Ours (class)": "zhang16-class",
    "Ours (full)": "zhang16-full",
}
NAMES = REFERENCE | OTHERS | RECIPES
BUNDLED = "bundled"  # the row that is always there


@dataclass(frozen=True)
class Given:
    """What there is to build the table with.

    Attributes:
        options: of the evaluation; its models are left out of account, its pictures are rows by their names.
        runs: folders of `tintype pretrain`.
        models: .onnx files by the name of their row: one of `NAMES`, or a new one.
        study: what `tintype study results --json` printed.
        progress: as `tintype.evaluate.run` takes it.
    """

    options: Options = field(default_factory=Options)
    runs: tuple[Path, ...] = ()
    models: Mapping[str, Path] = field(default_factory=dict)
    study: Path | None = None
    progress: Progress = lambda paths, _: paths


def table_1(folder: Path, given: Given) -> dict[str, Any]:
    """The table, as JSON can hold it; docs/table.md tells what each field means.

    Args:
        folder: colour photographs; in the paper, 10,000 of ImageNet's validation set.
        given: all else.

    Raises:
        ValueError: something given is not there or does not fit, in one line.
        OSError: a file cannot be written.
    """
    runs = by_recipe(given.runs, list(RECIPES.values()))
    _refuse_twice([*runs, *given.models, *given.options.pictures])
    asked = read_study(given.study) if given.study else {}
    with ExitStack() as stack:
        place = given.options.resume or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tintype-")))
        place.mkdir(parents=True, exist_ok=True)
        made = {name: bundle(one, place) for name, one in runs.items()}
        files = {**made, **given.models}
        options = replace(
            given.options,
            models=(BUNDLED, *dict.fromkeys(map(str, files.values()))),
            resume=given.options.resume and place / "records",
        )
        measured = _named(run(folder, options, given.progress).result, files)
        sources = {name: told(one, made[name]) for name, one in runs.items()}
    sources[BUNDLED] = {"model": "the one that comes with tintype"}
    sources |= {name: {"model": str(file)} for name, file in given.models.items()}
    sources |= {name: {"pictures": str(place)} for name, place in given.options.pictures.items()}
    new = [name for name in (*measured["methods"], *asked) if name not in NAMES.values()]
    rows = [_row(row.method, NAMES[row.method], row, measured, sources, asked) for row in ZHANG16_1.rows]
    rows += [_row(f"tintype {name}" if name == BUNDLED else name, name, None, measured, sources, asked)
             for name in dict.fromkeys(new)]  # fmt: skip
    return {
        "table": "zhang16-1",
        "title": ZHANG16_1.title,
        "source": ZHANG16_1.source,
        "images": measured["images"],
        "columns": ZHANG16_1.columns,
        "rows": rows,
        "marks": dict(MARKS),
        "damaged": measured["damaged"],
        "protocol": {
            "published": ZHANG16_1.protocol,
            "ours": measured["protocol"],
            "study": given.study and str(given.study),
        },
    }


def _refuse_twice(names: list[str]) -> None:
    for name in (*REFERENCE.values(), BUNDLED):
        if name in names:
            raise ValueError(f"{name!r} is a row that is always there; give another name")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(f"{twice!r} is given twice")


def _named(result: dict[str, Any], files: Mapping[str, Path]) -> dict[str, Any]:
    """The result with its methods under their rows' names in place of their files', which rows may share."""

    def renamed(table: dict[str, Any]) -> dict[str, Any]:
        rows = {key: [name for name, file in files.items() if str(file) == key] or [key] for key in table}
        return {name: value for key, value in table.items() for name in rows[key]}

    protocol = {**result["protocol"], "models": renamed(result["protocol"]["models"])}
    return {
        **{key: result[key] for key in ("images", "damaged")},
        **{key: renamed(result[key]) for key in ("methods", "intervals")},
        "protocol": protocol,
    }


def _row(
    label: str,
    name: str,
    published: Row | None,
    measured: Mapping[str, Any],
    sources: Mapping[str, Any],
    asked: Mapping[str, Asked],
) -> dict[str, Any]:
    figures = measured["methods"].get(name, {})
    ours = {
        column: {"value": figures[column], "interval": measured["intervals"][name][column]}
        for column in ZHANG16_1.columns
        if figures.get(column) is not None
    }
    if name in asked:
        ours["fooled"] = dict(asked[name])
    quoted = published.figures if published else {}
    return {
        "row": label,
        "name": name,
        "published": {column: {"value": one.value, "margin": one.margin and float(one.margin), "mark": one.mark,
                               "printed": one.text} for column, one in quoted.items()},
        "ours": ours,
        "run": sources.get(name, {}) if figures else None,
        "not_run": None if figures else "judged by people only: no pictures to measure" if ours else _why_not(name),
    }  # fmt: skip


def _why_not(name: str) -> str:
    if name in RECIPES.values():
        return f"no run of recipe {name} was given (--runs FOLDER)"
    return f"no pictures of {name} were given (--pictures {name}=FOLDER)"
