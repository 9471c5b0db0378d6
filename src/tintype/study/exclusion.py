"""Whose answers do not count. The rule stands here, and nowhere else.

A visitor must never be left out for being fooled: that would make a method look worse than it is. So the practice check
only catches those who do worse than a guesser would, as one does who clicks the true picture by mistake throughout.
"""

from math import comb

from tintype.study.answers import Answers
from tintype.study.folder import Study

LEAST_SHARE = 0.5  # of the test pairs
GUESSER = 0.02  # how often at most a visitor who guesses may fail the practice check
FAST_MS = 200.0  # nobody sees, decides and clicks in less; who saw it in the first picture may be that fast at times
FAST_SHARE = 0.25
ONE_SIDE = 0.9  # each side is right in half of the pairs
FEW = 10  # test answers under which the last two checks say nothing


def practice_needed(pairs: int) -> int:
    """How many practice pairs must be right: as many as a guesser has in at least 98 of 100 tries; 2 of 10."""
    failing, needed = 0.0, 0
    while needed < pairs:
        failing += comb(pairs, needed) / 2**pairs
        if failing > GUESSER:
            break
        needed += 1
    return needed


def rule(study: Study) -> list[str]:
    """The rule in words: a visitor is left out who ..."""
    checks = [f"gave an answer that counts to fewer than half of the {study.trials} test pairs"]
    needed = practice_needed(study.practice)
    if needed:
        checks.append(
            f"had fewer than {needed} of the {study.practice} practice pairs right "
            f"(who guesses has fewer in less than {100 * GUESSER:.0f} of 100 cases)"
        )
    if study.trials < FEW:
        return checks
    return [
        *checks,
        f"gave more than a quarter of the test answers within {FAST_MS:.0f} ms after the pictures were gone "
        f"(of {FEW} or more)",
        f"chose the same side in more than {100 * ONE_SIDE:.0f} % of the test pairs (of {FEW} or more)",
    ]


def excluded(answers: Answers, study: Study) -> dict[int, list[str]]:
    """The visitors who are left out, by index, each with the reasons: of those who answered any test pair."""
    test = ~answers.practice
    tested = answers.per_visitor(test)
    valid = answers.per_visitor(test & ~answers.repeated() & ~answers.mistimed(study.exposure))
    practised = answers.per_visitor(answers.practice)
    right = answers.per_visitor(answers.practice & ~answers.fooled)
    fast = answers.per_visitor(test & (answers.answer_ms < FAST_MS))
    left = answers.per_visitor(test & answers.left)
    needed = practice_needed(study.practice)
    reasons: dict[int, list[str]] = {}
    for index in range(len(answers.visitor_ids)):
        given = int(tested[index])
        if not given:  # nothing to leave out
            continue
        found = []
        if valid[index] < LEAST_SHARE * study.trials:
            found.append(f"{valid[index]} of {study.trials} test pairs with an answer that counts")
        if practised[index] == study.practice and right[index] < needed:
            found.append(f"{right[index]} of {study.practice} practice pairs right")
        if given >= FEW and fast[index] > FAST_SHARE * given:
            found.append(f"{fast[index]} of {given} answers within {FAST_MS:.0f} ms")
        one_side = max(int(left[index]), given - int(left[index]))
        if given >= FEW and one_side > ONE_SIDE * given:
            found.append(f"the same side in {one_side} of {given} pairs")
        if found:
            reasons[index] = found
    return reasons
