"""Hooks of schemathesis for bench/api_fuzz.py: where the description says that a picture is sent, one is."""

import io

import schemathesis
from hypothesis import strategies
from PIL import Image


def _encoded(kind: str) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((32, 24)).save(file, kind)
    return file.getvalue()


_ALL = {f"image/{kind.lower()}": _encoded(kind) for kind in ("JPEG", "PNG", "TIFF", "WEBP", "BMP")}
for name, photograph in _ALL.items():
    schemathesis.openapi.media_type(name, strategies.just(photograph))
schemathesis.openapi.media_type("application/octet-stream", strategies.sampled_from(list(_ALL.values())))
schemathesis.openapi.format("binary", strategies.sampled_from(list(_ALL.values())))


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """Options that stand in the query and in the form are refused, which OpenAPI has no words for."""
    return not (isinstance(case.body, dict) and case.body.keys() & (case.query or {}).keys())
