"""Saying what a data set lacks."""

from collections.abc import Sequence

from tintype.data.errors import DataError

_SHOWN = 3


def require_all(place: object, wanted: int, missing: Sequence[object]) -> None:
    """Refuse a data set of which files are missing, by the first of them and their number.

    Args:
        place: the data set.
        wanted: how many files there should be.
        missing: those that are not there.

    Raises:
        DataError: some are missing.
    """
    if missing:
        more = ", ..." if len(missing) > _SHOWN else ""
        raise DataError(
            f"{place} is incomplete: {len(missing)} of {wanted} files are missing: "
            f"{', '.join(map(str, missing[:_SHOWN]))}{more}"
        )
