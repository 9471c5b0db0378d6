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
    body = "".join("".join(_row(name, run, uses.get(name, {}))) for name, run in built["runs"].items())
    return f'<table class="runs"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _uses(built: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """By run, the rows and columns whose figures are from it."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in built["rows"]:
        for column in built["columns"]:
            for name in row["ours"].get(column["column"], {}).get("planned", ()):
                found.setdefault(name, {}).setdefault(row["title"], []).append(column["title"])
    return found


def _row(name: str, run: Mapping[str, Any], uses: Mapping[str, list[str]]) -> Iterator[str]:
    files = FILES[run["kind"]] if run["state"] == "done" else ()
    links = " ".join(f'<a href="{text(f"runs/{name}/{file}")}">{text(file)}</a>' for file in files)
    needs = ", ".join(f'<a href="#{text(need)}">{text(need)}</a>' for need in run["needs"])
    used = "; ".join(f"{row}: {', '.join(columns)}" for row, columns in uses.items())
    minutes = f"{run['minutes']:.1f}" if run["minutes"] else ""
    command = run["command"]
    yield f'<tr id="{text(name)}"><th scope="row">{text(name)}<small>{links}</small></th><td>{text(used)}</td>'
    yield f'<td class="short">{text(run["state"])}</td><td class="short">{minutes}</td>'
    yield f"<td><details><summary>{text(join(command[:3]))} …</summary><code>{text(join(command))}</code>"
    yield f"{f'after {needs}' if needs else ''}</details></td></tr>"
