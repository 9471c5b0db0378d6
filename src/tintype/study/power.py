"""How many visitors it takes to tell two methods apart."""

import math
from statistics import NormalDist

LEVEL = 0.05  # two-sided
POWER = 0.8


def visitors_needed(difference: float, variances: tuple[float, float]) -> int | None:
    """How many visitors each of two methods needs for their difference to be found.

    For a two-sided test at 5 % with power 80 %: n = (z₀.₉₇₅ + z₀.₈)² (s₁² + s₂²) / d², where s² is the variance of the
    visitors' shares of pairs fooled, which holds both what visitors differ in and the chance of few pairs each
    (Cohen, Statistical Power Analysis, 2.4, in its normal approximation).

    Args:
        difference: d, of the two shares.
        variances: s₁², s₂².

    Returns:
        The number per method, at least 2; None where no number would do, as there is no difference.
    """
    if not difference or math.isnan(difference):
        return None
    normal = NormalDist()
    z = normal.inv_cdf(1 - LEVEL / 2) + normal.inv_cdf(POWER)
    return max(2, math.ceil(z**2 * sum(variances) / difference**2))
