"""All that a study has shown so far, in one object that goes into JSON, the table and the report."""

import itertools
import math
from typing import Any

import numpy as np
from sqlalchemy import Connection

from tintype import __version__
from tintype.study.answers import Answers, Bools, read_answers, tolerance_ms
from tintype.study.exclusion import excluded, rule
from tintype.study.folder import Study
from tintype.study.power import visitors_needed
from tintype.study.statistics import SAMPLES, Fooled, fooled_by, interval, most_convincing_first, per_picture


def results(connection: Connection, study: Study) -> dict[str, Any]:
    """The results as an object for JSON; docs/study.md tells what each field means.

    Shares are in percent. What cannot be told yet is None.
    """
    answers = read_answers(connection, study)
    left_out = excluded(answers, study)
    attentive = np.ones(len(answers.visitor_ids), dtype=bool)
    attentive[list(left_out)] = False
    test = ~answers.practice
    repeated, mistimed = test & answers.repeated(), test & answers.mistimed(study.exposure)
    valid = test & ~repeated & ~mistimed
    counts = valid & attentive[answers.visitor]
    methods = {name: fooled_by(answers, counts, index) for index, name in enumerate(study.methods)}
    everybody = {name: fooled_by(answers, valid, index) for index, name in enumerate(study.methods)}
    given = answers.per_visitor(test | answers.practice)
    return {
        "title": study.title,
        "visitors": {
            "begun": len(answers.visitor_ids),
            "finished": int((given == study.practice + study.trials).sum()),
            "counted": sum(fooled.visitors for fooled in methods.values()),
            "excluded": [
                {
                    "visitor": int(answers.visitor_ids[index]),
                    "method": study.methods[answers.method_of[index]],
                    "reasons": reasons,
                }
                for index, reasons in left_out.items()
            ],
        },
        "answers": {
            "test": int(test.sum()),
            "counted": int(counts.sum()),
            "shown_again": int(repeated.sum()),
            "exposure_off": int((mistimed & ~repeated).sum()),
        },
        "methods": {name: _figures(fooled) for name, fooled in methods.items()},
        "without_exclusion": {name: _figures(fooled) for name, fooled in everybody.items()},
        "differences": [_difference(a, b, methods) for a, b in itertools.combinations(study.methods, 2)],
        "pictures": _pictures(answers, counts, study),
        "rule": rule(study),
        "protocol": {
            "tintype": __version__,
            "practice": study.practice,
            "trials": study.trials,
            "exposure_s": study.exposure,
            "exposure_tolerance_ms": tolerance_ms(study.exposure),
            "pictures": len(study.pictures),
            "size": "256 x 256, shorter side reduced to 256, middle cropped",
            "interval": f"95 %, bootstrap over visitors, {SAMPLES} samples",
            "power": "two-sided test at 5 %, power 80 %",
        },
    }


def _figures(fooled: Fooled) -> dict[str, Any]:
    return {
        "visitors": fooled.visitors,
        "trials": fooled.trials,
        "fooled": fooled.fooled,
        "fooled_percent": _percent(fooled.share),
        "interval": _interval(*fooled.interval),
    }


def _difference(a: str, b: str, methods: dict[str, Fooled]) -> dict[str, Any]:
    """How far two methods are apart, and how many visitors each still needs for that to be told."""
    one, other = methods[a], methods[b]
    answer: dict[str, Any] = {"methods": [a, b], "percent": _percent(one.share - other.share), "interval": None}
    needed = None
    if len(one.samples) and len(other.samples):
        answer["interval"] = _interval(*interval(one.samples - other.samples))
        needed = visitors_needed(one.share - other.share, (one.variance, other.variance))
    more = None if needed is None else [max(0, needed - one.visitors), max(0, needed - other.visitors)]
    return answer | {"visitors_needed": needed, "visitors_still_needed": more}


def _pictures(answers: Answers, counts: Bools, study: Study) -> dict[str, list[dict[str, Any]]]:
    """By method, every picture that was judged, the most convincing first."""
    ranked = {}
    for index, name in enumerate(study.methods):
        trials, fooled = per_picture(answers, counts, index, len(study.pictures))
        ranked[name] = [
            {"picture": study.pictures[place].name, "trials": int(trials[place]), "fooled": int(fooled[place])}
            for place in most_convincing_first(trials, fooled)
        ]
    return ranked


def _percent(share: float) -> float | None:
    return None if math.isnan(share) else round(100 * share, 2)


def _interval(low: float, high: float) -> list[float] | None:
    return None if math.isnan(low) else [round(100 * low, 2), round(100 * high, 2)]
