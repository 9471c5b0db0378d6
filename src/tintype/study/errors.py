"""Errors of a study meant for people: one line that says what is wrong, where, and what to do."""


class StudyError(ValueError):
    """A study cannot be made, read or stored as asked."""
