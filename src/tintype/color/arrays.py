"""Which library an array belongs to."""

from typing import Any


def array_namespace(x: Any) -> Any:
    """The array API functions for an array: numpy itself, or array-api-compat's for torch.

    numpy 2 needs no help, and array-api-compat's numpy takes as long to import as numpy does.
    """
    if hasattr(x, "__array_namespace__"):
        return x.__array_namespace__()
    import array_api_compat

    return array_api_compat.array_namespace(x)
