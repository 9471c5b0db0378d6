"""Files of models by name: in the local cache of the Hugging Face Hub, or fetched from the Hub into it."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from tintype.runtime.errors import ModelError

BUNDLE, WEIGHTS = "model.onnx", "model.safetensors"
"""What a repository's colorizer, and its weights to learn further with, are called."""

REPOSITORY = r"(\w(?:[\w.-]*\w)?/\w(?:[\w.-]*\w)?)"
"""A pattern for `owner/name`."""

_SHORT = re.compile(rf"{REPOSITORY}(?:@(.+))?", re.ASCII)
_LONG = re.compile(rf"hf://{REPOSITORY}(?:@(refs/(?:pr|convert)/[^/]+|[^/]+))?(?:/(.+))?", re.ASCII)
_FILES = (".onnx", ".safetensors", ".pth", ".pt", ".bin", ".h5", ".ckpt")
_PATIENCE = 10  # seconds for the Hub's first answer


@dataclass(frozen=True)
class HubName:
    """A file on the Hub: of which repository (`owner/name`), at which branch, tag or commit, at which path in it."""

    repository: str
    revision: str
    file: str


def parse(name: str, file: str) -> HubName | None:
    """Read `owner/name`, `owner/name@revision` or `hf://owner/name@revision/path/in/it`.

    Args:
        name: as people write it. In the long form, a slash in a branch's name is written %2F.
        file: what is meant where it does not say.

    Returns:
        None where it is no name on the Hub: it or its folder is there on disk, or it ends as a file of weights does.

    Raises:
        ModelError: it begins with hf://, and goes on otherwise.
    """
    if name.startswith("hf://"):
        match = _LONG.fullmatch(name)
        if match is None or ".." in name.split("/"):
            raise ModelError(f"{name}: such a name is written hf://owner/name[@revision][/path/of/file]")
        return HubName(match[1], unquote(match[2] or "main"), match[3] or file)
    match = _SHORT.fullmatch(name)
    if match is None or match[1].endswith(_FILES) or Path(name).exists() or Path(name.partition("/")[0]).is_dir():
        return None
    return HubName(match[1], match[2] or "main", file)


def from_hub(name: str, file: str, *, refresh: bool = False) -> Path | None:
    """The file that a name on the Hub means. Where the cache holds it, nothing is asked of any network.

    Args:
        name, file: see `parse`.
        refresh: ask the Hub for the newest first. What the cache holds stays in use until that is there completely.

    Returns:
        Its path in the cache; None where `name` is no name on the Hub.

    Raises:
        ModelError: huggingface_hub is not installed, or the file is neither in the cache nor to be had; in one line.
    """
    wanted = parse(name, file)
    if wanted is None:
        return None
    try:
        found = None if refresh else _cached(wanted)
        return found or _fetch(wanted, name)
    except ModuleNotFoundError:
        raise ModelError(
            f"{name}: no such file; if it is a name on the Hugging Face Hub, this needs one more library: "
            'pip install huggingface-hub, or in a checkout of tintype pip install ".[hub]"'
        ) from None
    except ModelError:
        raise
    except Exception as error:  # of huggingface_hub's, and of the HTTP library that its version uses
        failed = f"it {'' if refresh else 'is not in the cache, and '}could not be fetched from the Hub"
        raise ModelError(f"{name}: {explain(error, wanted.repository, failed)}") from error


def explain(error: Exception, repository: str, failed: str) -> str:
    """In one line, why `failed`, which was to be done with a repository on the Hub."""
    from huggingface_hub import errors, get_token

    wrapped = isinstance(error, RuntimeError | errors.LocalEntryNotFoundError)  # of an upload, of a download
    if wrapped and isinstance(error.__cause__, Exception):
        error = error.__cause__
    if isinstance(error, errors.GatedRepoError):
        return f"its owner gives access on request, at https://huggingface.co/{repository}"
    if isinstance(error, errors.RepositoryNotFoundError):
        other = "your login may not see it" if get_token() else "it is private: log in with `hf auth login`"
        return f"there is no such file, and no such repository on the Hub, or {other}"
    if isinstance(error, errors.RevisionNotFoundError):
        return "the repository has no such branch, tag or commit"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return f"{failed} (HF_HUB_OFFLINE is set)"
    status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None
    if status == 401:
        return "the Hub does not accept your token: log in again with `hf auth login`"
    if status == 403:
        return "your token gives no right to do this on the Hub"
    told = getattr(error, "server_message", None) or str(error)
    reason = " ".join(told.split()) or type(error).__name__
    return f"{failed} ({reason:.200})"


def _cached(wanted: HubName) -> Path | None:
    """The file in the cache: its layout is documented, and reading it spares the rest of the library's start."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE, f"models--{wanted.repository.replace('/', '--')}")
    ref = folder / "refs" / wanted.revision
    commit = ref.read_text() if ref.is_file() else wanted.revision
    file = folder / "snapshots" / commit / wanted.file
    return file if file.is_file() else None


def _fetch(wanted: HubName, name: str) -> Path:
    from huggingface_hub import HfApi

    hub = HfApi(library_name="tintype")
    info = hub.model_info(wanted.repository, revision=wanted.revision, timeout=_PATIENCE)
    files = sorted(sibling.rfilename for sibling in info.siblings or ())
    if wanted.file not in files:
        others = [file for file in files if file.endswith((".onnx", ".safetensors"))]
        hint = f"it has {', '.join(others[:5])}" if others else "nor any other model"
        raise ModelError(f"{name}: the repository has no {wanted.file}; {hint}" + _example(wanted, others))
    path = hub.hf_hub_download(wanted.repository, wanted.file, revision=info.sha)
    if wanted.revision != info.sha:  # a branch or tag: only now is the cache told that it is here
        path = hub.hf_hub_download(wanted.repository, wanted.file, revision=wanted.revision)
    return Path(path)


def _example(wanted: HubName, others: list[str]) -> str:
    return f": to use that, write hf://{wanted.repository}/{others[0]}" if others else ""
