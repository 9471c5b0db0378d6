"""What can be wrong with data."""


class DataError(ValueError):
    """Data that cannot be trained on; the message is one line for people and names the path."""


class LoadingError(DataError):
    """Photographs turn out unreadable while batches are made of them: to one process of several, maybe."""


class DamagedPhotoError(ValueError):
    """One photograph that cannot be decoded; the message says why, without the photograph's name."""
