"""`tintype models`: what there is to colorize with."""

import json

import click

from tintype.cli._options import Wrong
from tintype.cli._report import printable

EXAMPLES = """\b
Examples:
  tintype models                                  a table
  tintype models --json                           one JSON object per model, with all that is known of it
  tintype colorize old.jpg --model bundled        use one by its name
  tintype models owner/name --refresh             fetch the newest of one on the Hugging Face Hub
\b
What each figure means stands in docs/evaluate.md.
"""


@click.command(epilog=EXAMPLES)
@click.argument("names", metavar="[MODEL]...", nargs=-1)
@click.option("--refresh", is_flag=True, help="Ask the Hugging Face Hub for the newest of each MODEL first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per model.")
def models(names: tuple[str, ...], refresh: bool, as_json: bool) -> None:
    """Lists models: name, size, licence, and measured figures. Without MODEL, those that came with tintype.

    MODEL is what --model takes elsewhere: a name, the path of an .onnx that `tintype export` made, or OWNER/NAME or
    OWNER/NAME@REVISION on the Hugging Face Hub, which is fetched once and then used without network.
    """
    from tintype.evaluate.figures import FIGURES
    from tintype.runtime.errors import ModelError
    from tintype.runtime.hub import BUNDLE, from_hub
    from tintype.runtime.model import bundled_models, load_model

    if refresh and not names:
        raise click.UsageError("--refresh is for models on the Hugging Face Hub: name one")
    try:
        for name in names if refresh else ():
            if from_hub(name, BUNDLE, refresh=True) is None:
                raise Wrong(printable(f"{name}: not on the Hugging Face Hub, so there is nothing to refresh"))
        found = [load_model(name, threads=1) for name in names] if names else bundled_models()
    except ModelError as error:
        raise Wrong(printable(str(error))) from error
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
