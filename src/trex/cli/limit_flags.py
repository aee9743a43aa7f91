"""The flags of the limits, derived from `trex.limits`: one flag a field.

Owns:      the spelling of flags and of sizes and durations on a command line.
Relies on: the fields of `Limits`, their types, defaults and descriptions.
Never:     names a limit: a field added there is a flag here.
"""

from __future__ import annotations

import typing
from typing import Any

import msgspec
from msgspec import Struct

from trex.limits import LanguageLimits, Limits

_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_DURATIONS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class LimitFlag(Struct, frozen=True):
    """One limit as a flag.

    unit: `bytes`, `seconds` or nothing, for a plain count.
    """

    field: str
    description: str
    unit: str
    default: int | float

    @property
    def name(self) -> str:
        """The flag as typed: `--max-time`."""
        return "--" + self.field.replace("_", "-")

    @property
    def shown_default(self) -> str:
        """The default in the unit that reads best; 0 of a language limit means no bound of this kind."""
        if self.default == 0:
            return "none"
        if self.unit == "seconds":
            return f"{self.default:g}s"
        if self.unit == "bytes":
            for suffix, factor in reversed(_SIZES.items()):
                if suffix and self.default % factor == 0:
                    return f"{self.default // factor:g}{suffix}"
        return f"{self.default}"

    def parse(self, text: str) -> int | float:
        """The value of `text`; raises `ValueError` with a sentence."""
        stripped = text.strip().replace("_", "")
        number = stripped.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        suffix = stripped[len(number) :]
        if self.unit == "seconds":
            return self._parse_seconds(text, number, suffix)
        if self.unit == "bytes":
            suffix = suffix.upper().removesuffix("B").removesuffix("I")
        if not (number.isascii() and number.isdigit()) or suffix not in (_SIZES if self.unit == "bytes" else ("",)):
            expected = "a number of bytes, such as 4096, 512K, 64M or 1G" if self.unit == "bytes" else "a whole number"
            raise ValueError(f"{text!r} is not {expected}")
        if len(number) > 15:  # beyond any memory, and near the end of 64 bits
            raise ValueError(f"{text!r} is too large for a limit")
        return int(number) * (_SIZES[suffix] if self.unit == "bytes" else 1)

    def _parse_seconds(self, text: str, number: str, suffix: str) -> float:
        try:
            seconds = float(number) * _DURATIONS[suffix] if number.isascii() else 0.0
        except (ValueError, KeyError):
            seconds = 0.0
        if not 0 < seconds < 1e9:
            raise ValueError(f"{text!r} is not a time above 0, such as 500ms, 30s, 5m or 1h")
        return seconds


def _unit(description: str) -> str:
    first = description.split()[0]
    return first if first in ("bytes", "seconds") else ""


def _flags() -> tuple[LimitFlag, ...]:
    hints = typing.get_type_hints(Limits, include_extras=True)
    flags = []
    for field in msgspec.structs.fields(Limits):
        metas: tuple[Any, ...] = hints[field.name].__metadata__
        description = next(meta.description for meta in metas if meta.description)
        flags.append(LimitFlag(field.name, description, _unit(description), field.default))
    return tuple(sorted(flags, key=lambda flag: flag.field in LanguageLimits.__struct_fields__))


FLAGS = _flags()


def limits_from(values: dict[str, Any]) -> Limits:
    """The limits of a command line: the given ones, and defaults for the others."""
    return Limits(**{flag.field: values[flag.field] for flag in FLAGS if values.get(flag.field) is not None})
