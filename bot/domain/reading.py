"""How much of the same is read quickly, and kept small. No I/O here.

What has its documented form is read inside of pydantic's core, the rest by a function: a call into Python costs more than
reading the value. And what a look shows by the thousand has slots in place of a dict and a set: a third of the memory,
and less than half as many objects for the garbage collector to walk through, which stops everything else meanwhile.
Both were measured: `bench/README.md`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Self

from pydantic import AfterValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, SchemaSerializer, SchemaValidator, core_schema


@dataclass(frozen=True)
class Read:
    """How a value is read, for `Annotated`: as `documented`, a type; where it is none, as `otherwise` makes of it."""

    documented: Any
    otherwise: Callable[[object], object]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """For pydantic: the two ways, one after the other."""
        tolerant = core_schema.no_info_before_validator_function(self.otherwise, handler(source))
        return core_schema.union_schema([handler.generate_schema(self.documented), tolerant], mode="left_to_right")


def repeated(read: Callable[[object], object]) -> AfterValidator:
    """For short values that occur again and again: each is read once, and kept once.

    The dates of 10,000 calls lie within some thousand seconds, and each stands in every view of a call.
    """
    return AfterValidator(lru_cache(8192)(read))


class Live:
    """What pydantic's BaseModel is, as far as it is needed, for a frozen dataclass of pydantic's with slots."""

    __slots__ = ()
    __pydantic_validator__: ClassVar[SchemaValidator]
    __pydantic_serializer__: ClassVar[SchemaSerializer]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @classmethod
    def model_validate(cls, value: object) -> Self:
        """Read it from an object of JSON. Raises ValidationError."""
        read: Self = cls.__pydantic_validator__.validate_python(value)
        return read

    @classmethod
    def model_validate_json(cls, document: str | bytes) -> Self:
        """Read it from JSON. Raises ValidationError."""
        read: Self = cls.__pydantic_validator__.validate_json(document)
        return read

    def model_dump_json(self, *, by_alias: bool = False) -> str:
        """Write it as JSON; `by_alias`: in the names of the wire."""
        return self.__pydantic_serializer__.to_json(self, by_alias=by_alias).decode()

    def model_copy(self, *, update: Mapping[str, object]) -> Self:
        """Copy it with these fields just as they are given."""
        copy = object.__new__(type(self))
        for name in self.__dataclass_fields__:
            object.__setattr__(copy, name, update.get(name, getattr(self, name)))
        return copy
