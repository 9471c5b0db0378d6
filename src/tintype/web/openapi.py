"""The HTTP API in OpenAPI 3.1."""

from typing import Any

from tintype import __version__
from tintype.web.openapi_drafts import draft_paths

_PICTURE = {"type": "string", "format": "binary"}
_KINDS = ("image/jpeg", "image/png", "image/tiff", "image/webp", "image/bmp")
_ERROR = {
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
        }
    }
}
_ERRORS = {
    "400": "Something in the request is wrong; `error` says what",
    "408": "The body did not come",
    "413": "The photograph is too large",
    "422": "The photograph cannot be read: of no known format, damaged, or with too many pixels",
    "503": "Too many photographs are waiting; Retry-After says when to come again",
    "504": "It took too long",
    "507": "The server's disk is full",
}
_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "temperature": (
        {"type": "number", "minimum": 0.01, "maximum": 10},
        "Of the annealed mean: lower is bolder. Without it, the model's own.",
    ),
    "saturation": ({"type": "number", "minimum": 0, "maximum": 10, "default": 1}, "What colours are multiplied by."),
    "format": (
        {"type": "string", "enum": ["jpg", "jpeg", "png", "tif", "tiff", "webp", "bmp"]},
        "Of the picture. Without it, that of the photograph, or PNG where that cannot be written.",
    ),
    "suffix": (
        {"type": "string"},
        "Of the photograph's name. Cameras' raw files are known by it, all others by their content; in a form, the "
        "file's own name tells it.",
    ),
    "json": ({"type": "string", "enum": ["0", "1", "false", "true"]}, "1 for JSON that holds the picture."),
}


def described(root: str, secured: bool, most_bytes: int) -> dict[str, Any]:
    """The description.

    Args:
        root: path below which all stands.
        secured: whether requests must carry a token.
        most_bytes: of a photograph.
    """
    failures = {status: {"description": told, **_ERROR} for status, told in _ERRORS.items()}
    if secured:
        failures["401"] = {"description": "The token is missing or wrong", **_ERROR}
    made = {
        "type": "object",
        "required": ["width", "height", "type", "picture"],
        "properties": {
            "width": {"type": "integer", "minimum": 1},
            "height": {"type": "integer", "minimum": 1},
            "type": {"type": "string"},
            "picture": {"type": "string", "contentEncoding": "base64"},
        },
    }
    form = {
        "type": "object",
        "required": ["file"],
        "additionalProperties": False,
        "properties": {"file": _PICTURE, **{name: schema for name, (schema, _) in _OPTIONS.items()}},
    }
    colorize = {
        "operationId": "colorize",
        "summary": "Colorize a photograph",
        "description": f"Its lightness, size, format and metadata stay as they are. At most {most_bytes} bytes. "
        "Nothing of it is kept.",
        "parameters": [
            {"name": name, "in": "query", "schema": schema, "description": told}
            for name, (schema, told) in _OPTIONS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form},
                "application/octet-stream": {"schema": _PICTURE},
                **{kind: {"schema": _PICTURE} for kind in _KINDS},
            },
        },
        "responses": {
            "200": {
                "description": "The picture; or, where JSON is asked for, an object that holds it",
                "content": {
                    **{kind: {"schema": _PICTURE} for kind in _KINDS},
                    "application/json": {"schema": made},
                },
            },
            **failures,
        },
    }
    health = {
        "type": "object",
        "required": ["model", "waiting"],
        "properties": {"model": {"type": "string"}, "waiting": {"type": "integer", "minimum": 0}},
    }
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "tintype", "version": __version__, "summary": "Colorizes photographs, on this computer."},
        "servers": [{"url": root or "/"}],
        "paths": {
            "/api/colorize": {"post": colorize},
            "/api/health": {
                "get": {
                    "operationId": "health",
                    "summary": "Whether it works, with which model, and how many photographs are waiting",
                    "responses": {
                        "200": {"description": "It works", "content": {"application/json": {"schema": health}}}
                    },
                }
            },
            **draft_paths(failures, _ERROR),
        },
    }
    if secured:
        document["components"] = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
        for path, operations in document["paths"].items():
            for operation in operations.values() if path != "/api/health" else ():
                operation["security"] = [{"token": []}]
    return document
