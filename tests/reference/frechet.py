"""Fréchet distance as its formula stands: covariances, a matrix root, and a fresh fit without each group."""

import numpy as np
from scipy.linalg import sqrtm


def distance(true, others):
    true, others = np.asarray(true, np.float64), np.asarray(others, np.float64)
    one, other = np.cov(true, rowvar=False), np.cov(others, rowvar=False)
    shift = ((true.mean(axis=0) - others.mean(axis=0)) ** 2).sum()
    return shift + np.trace(one) + np.trace(other) - 2 * np.trace(sqrtm(one @ other)).real


def jackknife_error(true, others, groups):
    """Standard error of `distance`, every group of rows (by row number mod `groups`) left out in turn."""
    group = np.arange(len(true)) % groups
    values = [distance(true[group != g], others[group != g]) for g in range(groups)]
    mean = sum(values) / groups
    return ((groups - 1) / groups * sum((value - mean) ** 2 for value in values)) ** 0.5
