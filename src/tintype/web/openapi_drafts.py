"""The part of the OpenAPI description for photographs whose colours are still being chosen (`drafts`)."""

from typing import Any

from tintype.runtime.formats import FORMATS, RAW
from tintype.web.choices import ALTERNATIVES, MOST_HINTS

_BYTES = {"type": "string", "format": "binary"}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_AB = {"type": "number", "minimum": -128, "maximum": 128}
_COUNT = {"type": "integer", "minimum": 1}
_KINDS = ("image/jpeg", "image/png", "image/tiff", "image/webp", "image/bmp")
_KEPT = "There is no such draft, or it is not kept any more: begin again"
_NO_DISTRIBUTION = "The model tells no distribution over colours"


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


_HINT = {**_object(y=_SHARE, x=_SHARE, a=_AB, b=_AB), "additionalProperties": False}
_CHOICES = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "hints": {
            "type": "array",
            "items": _HINT,
            "maxItems": MOST_HINTS,
            "description": "Known colours: place in shares of height and width, and CIE ab. Each spreads over what "
            "belongs to its place.",
        },
        "alternative": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": ALTERNATIVES - 1,
            "description": "One of the other possibilities; null: the usual colorization.",
        },
        "temperature": {
            "type": ["number", "null"],
            "minimum": 0.01,
            "maximum": 10,
            "description": "Of the annealed mean; null: the model's own.",
        },
        "saturation": {"type": "number", "minimum": 0, "maximum": 10, "default": 1},
        "suffix": {
            "type": ["string", "null"],
            "enum": [*sorted(FORMATS), None],
            "description": "Of the file; null: that of the photograph, or .png.",
        },
        "depth": {
            "type": "integer",
            "enum": [8, 16],
            "default": 8,
            "description": "Bits a channel; 16 with suffix .png, .tif or .tiff only.",
        },
    },
    "if": {"properties": {"depth": {"const": 16}}, "required": ["depth"]},
    "then": {"properties": {"suffix": {"enum": [".png", ".tif", ".tiff"]}}, "required": ["suffix"]},
}
_DRAFT = _object(
    name={"type": "string"},
    width=_COUNT,
    height=_COUNT,
    guide={**_object(width=_COUNT, height=_COUNT, factor=_COUNT), "description": "Of what `colours` gives."},
    temperatures={
        "type": "array",
        "items": {"type": "number"},
        "description": "Of what `colours` gives, an octave apart; the last is the most colourful.",
    },
    own={"type": "integer", "description": "Which of the temperatures is the model's own."},
    suffix={"type": "string", "description": "Of the format that `picture` has unless told otherwise."},
    deep={
        "type": "boolean",
        "description": "Whether its lightness is known to more than 8 bits, as it is of pictures with colours too.",
    },
    pages={**_COUNT, "description": "Of the file that it is a page of."},
    looks_negative={"type": "boolean"},
)
_SUGGESTIONS = _object(
    lightness={"type": "number", "description": "CIE L of the place."},
    colours={
        "type": "array",
        "items": _object(
            a={"type": "number"},
            b={"type": "number"},
            probability={"type": "number", "minimum": 0, "maximum": 1.001},
            rgb={"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}},
        ),
    },
)


def draft_paths(failures: dict[str, Any], missing: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The paths below /api/drafts.

    Args:
        failures: responses of what takes its turn, by status.
        missing: a response that says what is wrong.
    """
    name: dict[str, Any] = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    wrong: dict[str, Any] = {status: failures[status] for status in ("400", "401", "408", "413") if status in failures}
    there: dict[str, Any] = {"404": {**missing, "description": _KEPT}}

    def operation(identity: str, summary: str, answer: dict[str, Any], kinds: tuple[str, ...], **more: Any) -> Any:
        responses = more.pop("responses", {**wrong, **there})
        given = {"description": summary, "content": {kind: {"schema": answer} for kind in kinds}}
        parameters = [name, *more.pop("parameters", [])]
        status = more.pop("status", "200")
        return {
            "operationId": identity,
            "summary": summary,
            "parameters": [one for one in parameters if one],
            "responses": {status: given, **responses},
            **more,
        }

    def query(of: str, schema: dict[str, Any], told: str, required: bool = False) -> dict[str, Any]:
        return {"name": of, "in": "query", "schema": schema, "description": told, "required": required}

    choices: dict[str, Any] = {"requestBody": {"content": {"application/json": {"schema": _CHOICES}}}}
    begin = operation(
        "beginDraft",
        "Run the network on a photograph, and keep what it says of the colours",
        _DRAFT,
        ("application/json",),
        status="201",
        responses={**failures, "501": {**missing, "description": _NO_DISTRIBUTION}},
        parameters=[
            query(
                "suffix", {"type": "string"}, f"Of its name; raw files are known by theirs: {', '.join(sorted(RAW))}."
            ),
            query("page", {"type": "integer", "minimum": 0, "maximum": 9999}, "Of a TIFF file with several."),
            query("negative", {"type": "string", "enum": ["0", "1"]}, "1 for a negative."),
            query("as_is", {"type": "string", "enum": ["0", "1"]}, "1 to look for no borders and no fading."),
        ],
        requestBody={"required": True, "content": {"application/octet-stream": {"schema": _BYTES}}},
    )
    begin["parameters"].remove(name)
    places = [query(axis, _SHARE, f"Share of the {side}.", True) for axis, side in (("y", "height"), ("x", "width"))]
    of = "/api/drafts/{name}"
    return {
        "/api/drafts": {"post": begin},
        of: {
            "delete": {
                "operationId": "forgetDraft",
                "summary": "Forget it",
                "parameters": [name],
                "responses": {"204": {"description": "It is forgotten, or was not there"}, **wrong},
            }
        },
        f"{of}/lightness": {"get": operation("lightness", "The photograph in grey", _BYTES, ("image/jpeg",))},
        f"{of}/entropy": {
            "get": operation(
                "entropy",
                "How unsure the model is of each of its cells: bytes, 255 for log 313 nats; their numbers in X-Width, "
                "X-Height",
                _BYTES,
                ("application/octet-stream",),
            )
        },
        f"{of}/suggestions": {
            "get": operation(
                "suggestions",
                "Colours that the model thinks possible at a place, the likeliest first; none in a scan's border",
                _SUGGESTIONS,
                ("application/json",),
                parameters=places,
            )
        },
        f"{of}/alternatives": {
            "get": operation(
                "alternatives",
                "Small pictures, JPEG in base64: the usual colorization, then the other possibilities",
                _object(pictures={"type": "array", "items": {"type": "string", "contentEncoding": "base64"}}),
                ("application/json",),
            )
        },
        f"{of}/colours": {
            "post": operation(
                "colours",
                "A and B of ab = A L + B: float16, little-endian, (temperatures, height, width, 4) of the guide; A of "
                "a, A of b, B of a, B of b",
                _BYTES,
                ("application/octet-stream",),
                **choices,
            )
        },
        f"{of}/preview": {
            "post": operation("preview", "A small picture of how it is to look", _BYTES, ("image/jpeg",), **choices)
        },
        f"{of}/picture": {
            "post": operation(
                "picture",
                "The picture at full resolution, with the photograph's metadata",
                _BYTES,
                _KINDS,
                responses={**failures, **there},
                **choices,
            )
        },
    }
