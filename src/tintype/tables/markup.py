"""A table as Markdown and as LaTeX."""

import re
from collections.abc import Mapping
from typing import Any

from tintype.evaluate.figures import NOTHING
from tintype.tables.words import PARTS, cells, damage, reasons, seeds, verdicts

_MARKDOWN = re.compile(r"[\\`*_|<>\[\]]")
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    ">": r"$>$",
    "<": r"$<$",
    NOTHING: "--",
}


def markdown(built: Mapping[str, Any]) -> str:
    """The table with published | ours | difference, orderings, what was not run, and what marks mean."""
    columns = built["columns"]
    heads = [f"{one['title']}: {part}" for one in columns for part in PARTS]
    lines = [
        f"## {plain(built['title'])}",
        "",
        plain(
            f"Scale {built['scale']}: {built['about']}; {seeds(built)}, mean ± standard deviation; diff.: ours less "
            f"the paper's. Paper: {built['source']}. {built['protocol']}."
        ),
        "",
        f"| | {' | '.join(map(plain, heads))} |",
        f"|---|{'---:|' * len(heads)}",
    ]
    for row in built["rows"]:
        inner = [cell for one in columns for cell in cells(row, one)]
        lines.append(f"| {' | '.join(map(plain, (row['title'], *inner)))} |")
    for head, found in (("Orderings", verdicts(built)), ("Not run", reasons(built)), ("Damaged", damage(built))):
        if found:
            lines += ["", f"{head}:", "", *(f"- {plain(line)}" for line in found)]
    marks = _marks(built)
    return "\n".join([*lines, *(["", marks] if marks else [])])


def latex(built: Mapping[str, Any]) -> str:
    """A table for booktabs: published, ours and the difference beside each other."""
    columns, over = built["columns"], len(PARTS)
    heads = " & ".join(rf"\multicolumn{{{over}}}{{c}}{{{escaped(one['title'])}}}" for one in columns)
    rules = " ".join(rf"\cmidrule(lr){{{over * i + 2}-{over * i + over + 1}}}" for i in range(len(columns)))
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\begin{{tabular}}{{l{'r' * over * len(columns)}}}",
        r"\toprule",
        rf"& {heads} \\",
        rules,
        "& " + " & ".join([" & ".join(PARTS)] * len(columns)) + r" \\",
        r"\midrule",
    ]
    for row in built["rows"]:
        inner = [escaped(cell) for one in columns for cell in cells(row, one)]
        lines.append(" & ".join([escaped(row["title"]), *inner]) + r" \\")
    ours = f"Ours at scale {built['scale']}: {built['about']}; {seeds(built)}, mean ± standard deviation."
    less = "diff.: ours less the paper's."
    damaged = "".join(f" {line}." for line in damage(built)).strip()
    caption = " ".join(filter(None, [f"{built['title']}.", ours, less, damaged, _marks(built)]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", rf"\caption{{{escaped(caption)}}}", r"\end{table}"])


def _marks(built: Mapping[str, Any]) -> str:
    """What the marks of published figures mean; "" without any."""
    told = "; ".join(f"{mark}, {what}" for mark, what in built["marks"].items())
    return f"Marks: {told}." if told else ""


def plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _MARKDOWN.sub(r"\\\g<0>", text)


def escaped(text: str) -> str:
    """Text whose every character LaTeX prints."""
    return "".join(_LATEX.get(letter, letter) for letter in text)
