"""Making a study: checked pictures, settings and a link, in a new folder."""

import math
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tintype.study.errors import StudyError
from tintype.study.folder import Study, is_text, write_study
from tintype.study.pairs import Source, match, prepare

TITLE = "Which colours are made up?"
CONSENT = """\
You will see pairs of photographs. One of each pair has its true colours; the colours of the other were made up by a
computer. Your task is to say which.

It takes about {time}. Taking part is voluntary: you can stop at any time by closing this page. We store your answers
and how long they took, under a number. We store nothing about you: no name, no address, nothing of your device. Your
browser keeps one cookie with a random number, so that you can go on where you stopped.

By starting you agree that your answers are used in a study of how believable such colours are.
"""
SECONDS_TO_ANSWER = 4  # and to load the next pair: only to tell visitors how long the study takes


@dataclass(frozen=True)
class Made:
    """A new study, and what its maker should know.

    Attributes:
        left_out: for each photograph that is not in the study one line that says why.
        same: for each method of which any are, how many of its pictures are the true ones, pixel for pixel.
    """

    study: Study
    left_out: dict[str, str]
    same: dict[str, int]


def make_study(
    folder: Path,
    true: Path,
    methods: Mapping[str, Path],
    *,
    practice: int = 10,
    trials: int = 40,
    exposure: float = 1.0,
    title: str = TITLE,
    consent: str | None = None,
    seed: int | None = None,
    progress: Callable[[list[Source]], Iterable[Source]] = iter,
) -> Made:
    """Makes a study in a folder that is not there yet.

    Args:
        true: folder of colour photographs.
        methods: for each method, the folder of its pictures, with the names of the photographs.
        practice, trials: how many pairs of each kind a visitor sees.
        exposure: how long each picture is shown, in seconds.
        consent: what visitors read and agree to, in paragraphs with an empty line between; `CONSENT` where None.
        seed: what visitors' pairs are drawn from; random where None.
        progress: passes the photographs on one by one, and may show how far it is.

    Raises:
        StudyError: the folder is there already, folders do not match, too few pictures are left, or a text is blank.
        OSError: a file cannot be written.
    """
    consent = _consent(practice + trials, exposure) if consent is None else consent
    for what, text in {"title": title, "consent": consent, **{f"method {name!r}": name for name in methods}}.items():
        if not is_text(text):
            raise StudyError(f"{what}: blank, or holds what is not text; write something that visitors can read")
    sources, left_out = match(true, methods)
    _enough(len(sources), practice, trials, left_out)
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise StudyError(f"{folder}: is there already; give a new folder, or remove it") from error
    try:
        pictures, unfit, same = prepare(progress(sources), folder)
        left_out |= unfit
        _enough(len(pictures), practice, trials, left_out)
        study = Study(
            title=title,
            consent=consent,
            practice=practice,
            trials=trials,
            exposure=exposure,
            seed=secrets.randbits(64) if seed is None else seed,
            token=secrets.token_urlsafe(16),
            methods=list(methods),
            pictures=pictures,
        )
        write_study(folder, study)
    except BaseException:
        shutil.rmtree(folder)
        raise
    return Made(study, left_out, same)


def _enough(pictures: int, practice: int, trials: int, left_out: Mapping[str, str]) -> None:
    needed = practice + trials
    if pictures >= needed:
        return
    because = f" ({len(left_out)} left out; the first: {next(iter(left_out.values()))})" if left_out else ""
    raise StudyError(
        f"{practice} practice and {trials} test pairs need {needed} pictures, but there are {pictures}{because}; "
        "add pictures, or lower --trials or --practice"
    )


def _consent(pairs: int, exposure: float) -> str:
    minutes = math.ceil(pairs * (2 * exposure + SECONDS_TO_ANSWER) / 60)
    return CONSENT.format(time="a minute" if minutes == 1 else f"{minutes} minutes")
