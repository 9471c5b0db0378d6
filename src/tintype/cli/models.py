"""`tintype models`: what there is to colorize with."""

import json

import click

EXAMPLES = """\b
Examples:
  tintype models                                  a table
  tintype models --json                           one JSON object per model, with all that is known of it
  tintype colorize old.jpg --model bundled        use one by its name
"""


@click.command(epilog=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per model.")
def models(as_json: bool) -> None:
    """Lists the models that came with tintype: name, size, licence, and measured figures.

    Models of your own, made by `tintype export`, are used by their path: --model FILE.onnx.
    """
    from tintype.runtime.model import bundled_models

    found = bundled_models()
    if as_json:
        for model in found:
            facts = {key: value for key, value in vars(model).items() if not key.startswith("_")}
            click.echo(json.dumps(facts | {"path": str(model.path), "bytes": model.path.stat().st_size}))
        return
    figures = list(dict.fromkeys(name for model in found for name in model.figures))
    rows = [["NAME", "MB", "LICENCE", "TRUNK", "SEES", *figures]]
    for model in found:
        size = f"{model.path.stat().st_size / 1e6:.1f}"
        values = [f"{model.figures[name]:g}" if name in model.figures else "" for name in figures]
        rows.append([model.name, size, model.license, model.trunk, f"{model.input_size} px", *values])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
