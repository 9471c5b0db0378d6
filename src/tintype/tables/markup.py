"""A table as Markdown and as LaTeX."""

import re
from collections.abc import Mapping
from typing import Any

from tintype.evaluate.figures import NOTHING
from tintype.tables.words import damage, line, parts_of, reasons, seeds, verdicts

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
    heads = [f"{one['title']}: {part}" for one in columns for part in parts_of(built)]
    lines = [
        f"## {plain(built['title'])}",
        "",
        plain(
            f"Scale {built['scale']}: {built['about']}; {seeds(built)}, mean ± standard deviation{_less(built)}. "
            f"Paper: {built['source']}. {built['protocol']}."
        ),
        "",
        f"| | {' | '.join(map(plain, heads))} |",
        f"|---|{'---:|' * len(heads)}",
    ]
    lines += [f"| {' | '.join(map(plain, (row['title'], *line(built, row))))} |" for row in built["rows"]]
    for head, found in (("Orderings", verdicts(built)), ("Not run", reasons(built)), ("Damaged", damage(built))):
        if found:
            lines += ["", f"{head}:", "", *(f"- {plain(one)}" for one in found)]
    marks = _marks(built)
    return "\n".join([*lines, *(["", marks] if marks else [])])


def latex(built: Mapping[str, Any]) -> str:
    """A table for booktabs: published, ours and the difference beside each other."""
    columns, shown = built["columns"], parts_of(built)
    over = len(shown)
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
        "& " + " & ".join(shown * len(columns)) + r" \\",
        r"\midrule",
    ]
    lines += [" & ".join(map(escaped, (row["title"], *line(built, row)))) + r" \\" for row in built["rows"]]
    about = f"{built['about']}; {seeds(built)}, mean ± standard deviation{_less(built)}"
    damaged = " ".join(f"{one}." for one in damage(built))
    told = [f"{built['title']}.", f"Ours at scale {built['scale']}: {about}.", damaged, _marks(built)]
    caption = " ".join(filter(None, told))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", rf"\caption{{{escaped(caption)}}}", r"\end{table}"])


def _less(built: Mapping[str, Any]) -> str:
    """What the last of the parts is, if the table has it."""
    return "; diff.: ours less the paper's" if len(parts_of(built)) > 1 else ""


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
