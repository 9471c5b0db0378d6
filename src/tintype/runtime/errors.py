"""Errors meant for people: one line that says what is wrong, with which file, and what to do."""

import errno

DISK_FULL = {errno.ENOSPC, errno.EDQUOT}  # numbers of such an OSError


class PhotoError(ValueError):
    """A photograph cannot be read, or its colour version cannot be written as asked."""


class ModelError(ValueError):
    """A model is not there, or is not a tintype bundle."""
