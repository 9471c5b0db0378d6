"""The runs of a table's page: what each is for, its files, how it went, and its command."""

from collections.abc import Iterator, Mapping
from shlex import join
from typing import Any

from tintype.evaluate.report.parts import text

# Files of a finished run that tell what was done, and what came of it.
FILES = {
    "labels": ("labels.tsv",),
    "pretrain": ("recipe.yaml",),
    "export": ("model.onnx",),
    "transfer": ("recipe.yaml", "results.json"),
    "evaluate": ("results.json",),
}


def run_list(built: Mapping[str, Any]) -> str:
    """An HTML table, a row for each run, under its name as id. Links are relative to the folder of all runs."""
    uses = _uses(built)
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("run", "for", "state", "minutes", "command"))
    body = "".join("".join(_row(built, name, uses.get(name, {}))) for name in built["runs"])
    return f'<table class="runs"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _uses(built: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """By run, the rows and columns whose figures are from it; no columns where it is for all that the row has."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in built["rows"]:
        cells = [(one["title"], row["ours"].get(one["column"], {}).get("planned")) for one in built["columns"]]
        filled = {title: planned for title, planned in cells if planned}
        for name in dict.fromkeys(name for planned in filled.values() for name in planned):
            titles = [title for title, planned in filled.items() if name in planned]
            found.setdefault(name, {})[row["title"]] = [] if len(titles) == len(filled) > 1 else titles
    return found


def _row(built: Mapping[str, Any], name: str, uses: Mapping[str, list[str]]) -> Iterator[str]:
    run = built["runs"][name]
    files = FILES[run["kind"]] if run["state"] == "done" else ()
    links = " ".join(f'<a href="{text(f"runs/{name}/{file}")}">{text(file)}</a>' for file in files)
    links += "".join(f' after <a href="#{text(need)}">{text(need)}</a>' for need in _before(built, run))
    used = "; ".join(": ".join(filter(None, (row, ", ".join(columns)))) for row, columns in uses.items())
    minutes = f"{run['minutes']:.1f}" if run["minutes"] else ""
    command = run["command"]
    yield f'<tr id="{text(name)}"><th scope="row">{text(name)}<small>{links}</small></th><td>{text(used)}</td>'
    yield f'<td class="short">{text(run["state"])}</td><td class="short">{minutes}</td>'
    yield f"<td><details><summary>{text(join(command[:3]))} …</summary><code>{text(join(command))}</code>"
    yield "</details></td></tr>"


def _before(built: Mapping[str, Any], run: Mapping[str, Any]) -> list[str]:
    """Runs that a run needs, and those that these need: to them and their recipes each figure leads."""
    needs = [name for need in run["needs"] for name in (need, *_before(built, built["runs"][need]))]
    return list(dict.fromkeys(needs))
