"""`tintype models`: what there is to colorize with."""

import json

import click

EXAMPLES = """\b
Examples:
  tintype models                                  a table
  tintype models --json                           one JSON object per model, with all that is known of it
  tintype colorize old.jpg --model bundled        use one by its name
\b
What each figure means stands in docs/evaluate.md.
"""


@click.command(epilog=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per model.")
def models(as_json: bool) -> None:
    """Lists the models that came with tintype: name, size, licence, and measured figures.

    Models of your own, made by `tintype export`, are used by their path: --model FILE.onnx.
    """
    from tintype.evaluate.figures import FIGURES
    from tintype.runtime.model import bundled_models

    found = bundled_models()
    if as_json:
        for model in found:
            facts = {key: value for key, value in vars(model).items() if not key.startswith("_")}
            click.echo(json.dumps(facts | {"path": str(model.path), "bytes": model.path.stat().st_size}))
        return
    for model in found:
        size = f"{model.path.stat().st_size / 1e6:.1f} MB"
        click.echo(
            f"{model.name}   {size}   {model.license}   {model.trunk}, sees {model.input_size} x {model.input_size}"
        )
        if model.previous:
            click.echo(f"  {'':<30}{'now':>8}{'before':>10}")
        for name, value in model.figures.items():
            label = FIGURES[name].head if name in FIGURES else name
            before = f"{model.previous[name]:10.4g}" if name in model.previous else ""
            click.echo(f"  {label:<30}{value:8.4g}{before}")
