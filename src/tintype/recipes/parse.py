"""From a nested mapping, as YAML gives it, to frozen dataclasses, with errors that name the key."""

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class RecipeError(ValueError):
    """A recipe is wrong. The message is one line for people, naming the key, its value and what is allowed."""


@dataclass(frozen=True)
class Range:
    """Numbers that a key allows; used as `Annotated[float, Range(...)]`."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False

    def __contains__(self, value: float) -> bool:
        return (value > self.low if self.open_low else value >= self.low) and value <= self.high

    def __str__(self) -> str:
        above = f"above {self.low:g}" if self.open_low else f"at least {self.low:g}"
        if self.high == math.inf:
            return above
        return f"{above} and at most {self.high:g}" if self.open_low else f"from {self.low:g} to {self.high:g}"


def parse(kind: type[T], values: object, key: str = "") -> T:
    """Build a dataclass from a mapping, checking every key, type and range.

    A field may be a bool, int, float or str, a `Literal`, a tuple of one of these (a list in YAML), another dataclass,
    or a union of dataclasses told apart by their key `name`. Numbers may come as strings, as YAML 1.1 reads `3e-5`.

    Raises:
        RecipeError: naming the first thing that is wrong.
    """
    result: T = _value(kind, values, key, tuple(_paths(kind)))
    return result


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"optimizer": {"lr": 1}} to {"optimizer.lr": 1}."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _value(kind: Any, value: object, key: str, known: tuple[str, ...]) -> Any:
    origin = get_origin(kind)
    if origin is Annotated:
        inner, allowed = get_args(kind)
        number = _value(inner, value, key, known)
        if number not in allowed:
            raise RecipeError(f"key '{key}' is {number}; it must be {allowed}")
        return number
    if origin is Literal:
        choices = get_args(kind)
        if value not in choices:
            raise RecipeError(f"key '{key}' is {value!r}; it must be {_either(choices)}")
        return value
    if origin in (Union, UnionType):
        return _value(_named(get_args(kind), value, key), value, key, known)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise RecipeError(f"key '{key}' is {value!r}; it must be a list such as [1, 2]")
        return tuple(_value(get_args(kind)[0], item, f"{key}[{i}]", known) for i, item in enumerate(value))
    if is_dataclass(kind):
        return _dataclass(kind, value, key, known)
    return _scalar(kind, value, key)


def _dataclass(kind: Any, values: object, key: str, known: tuple[str, ...]) -> Any:
    if not isinstance(values, Mapping):
        raise RecipeError(f"{_place(key)} is {values!r}; it must be a block of keys and values")
    hints = get_type_hints(kind, include_extras=True)
    for name in values:
        if name not in hints:
            inner = values[name]
            path = next(iter(flatten({name: inner}))) if isinstance(inner, Mapping) and inner else str(name)
            raise RecipeError(_unknown(_join(key, path), [_join(key, own) for own in hints], known))
    given: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in values:
            given[field.name] = _value(hints[field.name], values[field.name], _join(key, field.name), known)
        elif not _optional(field):
            raise RecipeError(f"missing key '{_join(key, field.name)}'")
    return kind(**given)


def _named(kinds: tuple[Any, ...], value: object, key: str) -> Any:
    """The dataclass of a union that the value's own `name` picks."""
    names = {get_args(get_type_hints(kind)["name"])[0]: kind for kind in kinds}
    if not isinstance(value, Mapping):
        raise RecipeError(f"key '{key}' is {value!r}; it must be a block with a name: {_either(names)}")
    if "name" not in value:
        raise RecipeError(f"missing key '{key}.name'; it must be {_either(names)}")
    if value["name"] not in list(names):  # what YAML reads need not be hashable
        raise RecipeError(f"key '{key}.name' is {value['name']!r}; it must be {_either(names)}")
    return names[value["name"]]


def _scalar(kind: type, value: object, key: str) -> Any:
    wrong = RecipeError(f"key '{key}' is {value!r}; it must be {_WORDS[kind]}")
    if kind in (int, float) and not isinstance(value, bool) and isinstance(value, int | float | str):
        try:
            number = float(value)
        except ValueError:
            raise wrong from None
        if not math.isfinite(number) or (kind is int and number != int(number)):
            raise wrong
        return int(value) if kind is int and isinstance(value, int) else kind(number)
    if type(value) is not kind:
        raise wrong
    return value


_WORDS: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _optional(field: "Field[Any]") -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _unknown(path: str, siblings: list[str], known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(path, [*siblings, *known], 1, 0.7)
    return f"unknown key '{path}'; " + (f"did you mean '{close[0]}'?" if close else f"there are {', '.join(siblings)}")


def _paths(kind: Any, key: str = "") -> Iterator[str]:
    """Every dotted key that a dataclass has, of all members of its unions."""
    if get_origin(kind) in (Union, UnionType):
        for member in get_args(kind):
            yield from _paths(member, key)
    elif is_dataclass(kind):
        for name, hint in get_type_hints(kind).items():
            yield from _paths(hint, _join(key, name))
    else:
        yield key


def _join(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)


def _place(key: str) -> str:
    return f"key '{key}'" if key else "the recipe"


def _either(choices: Any) -> str:
    return " or ".join(str(choice) for choice in choices)
