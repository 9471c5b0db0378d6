"""Writing a model's layout: into a folder, or as one commit to a repository on the Hugging Face Hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tintype.publish.card import front_matter, is_unedited, make_card
from tintype.publish.layout import Layout, PublishError
from tintype.runtime.atomic import write_atomically
from tintype.runtime.hub import BUNDLE, WEIGHTS, explain

CONFIG, CARD = "config.json", "README.md"


@dataclass(frozen=True)
class Pushed:
    """Where a model is now, and whether a README.md that somebody wrote was left there in place of a new one."""

    place: str
    kept_card: bool


def write_folder(layout: Layout, repository: str, folder: Path, card: Path | None = None) -> Pushed:
    """Write what `push` would upload into a folder, which is made if it is not there.

    Args:
        layout: the model.
        repository: `owner/name`, for the card.
        folder: where to. What is there already is treated as what is there in a repository.
        card: a text to take in place of the card that is made.

    Raises:
        PublishError: another kind of model is there, or `card` cannot be read.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there = {path.name for path in folder.iterdir()}
    _refuse_other(layout, there, str(folder))
    found = (folder / CARD).read_bytes() if CARD in there else None
    files = _files(layout, repository, card, found)
    for name, content in files.items():
        _write(folder / name, content.read_bytes() if isinstance(content, Path) else content)
    return Pushed(str(folder), CARD not in files)


def push(
    layout: Layout,
    repository: str,
    *,
    private: bool = False,
    branch: str = "main",
    message: str | None = None,
    card: Path | None = None,
) -> Pushed:
    """Upload a model to the Hub in one commit: its file, config.json and README.md.

    Args:
        layout: the model.
        repository: `owner/name`; made if it is not there.
        private: make it so that only its owners see it. One that is there and public is refused.
        branch: where to; made from `main` if it is not there.
        message: of the commit.
        card: a text to take in place of the card that is made. Without one, a README.md there that somebody wrote or
            changed by hand is left as it is.

    Raises:
        PublishError: nobody is logged in, the Hub refuses, it cannot be reached, or what is there must not be replaced.
        ModuleNotFoundError: huggingface_hub is not installed.
    """
    from huggingface_hub import get_token

    if get_token() is None:
        raise PublishError("you are not logged in to the Hub: run `hf auth login`, or set HF_TOKEN")
    try:
        return _push(layout, repository, private, branch, message or f"{layout.name}, by tintype", card)
    except PublishError:
        raise
    except Exception as error:  # of huggingface_hub's, and of the HTTP library that its version uses
        raise PublishError(f"{repository}: {explain(error, repository, 'could not be pushed to the Hub')}") from error


def _push(layout: Layout, repository: str, private: bool, branch: str, message: str, card: Path | None) -> Pushed:
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    hub = HfApi(library_name="tintype")
    try:
        info = hub.model_info(repository)
    except RepositoryNotFoundError:
        hub.create_repo(repository, private=private or None)
    else:
        if private and not info.private:
            raise PublishError(f"{repository}: is there already, and public; make it private there first")
    if branch != "main":
        hub.create_branch(repository, branch=branch, exist_ok=True)
    info = hub.model_info(repository, revision=branch)
    there = {sibling.rfilename for sibling in info.siblings or ()}
    _refuse_other(layout, there, repository)
    found = None
    if CARD in there:
        found = Path(hub.hf_hub_download(repository, CARD, revision=info.sha)).read_bytes()
    files = _files(layout, repository, card, found)
    additions = [CommitOperationAdd(name, content) for name, content in files.items()]
    commit: Any = hub.create_commit(
        repository, additions, commit_message=message, revision=branch, parent_commit=info.sha
    )
    return Pushed(str(commit.commit_url), CARD not in files)


def _write(target: Path, content: bytes) -> None:
    write_atomically(target, lambda file: file.write(content), overwrite=True)


def _files(layout: Layout, repository: str, card: Path | None, found: bytes | None) -> dict[str, bytes | Path]:
    files: dict[str, bytes | Path] = {layout.name: layout.source, CONFIG: layout.config}
    if card is not None:
        files[CARD] = _given(card, layout).encode()
    elif found is None or is_unedited(found.decode("utf-8", "replace")):
        files[CARD] = make_card(layout, repository).encode()
    return files


def _given(card: Path, layout: Layout) -> str:
    """The text of a file, with front matter if it has none."""
    try:
        text = card.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PublishError(f"{card}: cannot be read as text ({getattr(error, 'strerror', None) or error})") from error
    return text if text.startswith("---\n") else f"{front_matter(layout)}\n{text}"


def _refuse_other(layout: Layout, there: set[str], place: str) -> None:
    other = WEIGHTS if layout.name == BUNDLE else BUNDLE
    if other in there:
        raise PublishError(f"{place}: holds {other}, which {CONFIG} there tells of; use another repository or branch")
