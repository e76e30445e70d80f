"""Building blocks of the API: the base model and the field types that carry bounds and patterns."""

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from rrm_api.rules import Rule

DNS_LABEL = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
DECIMAL = r"^[0-9]+(\.[0-9]+)?([eE]-?[0-9]+)?$"
ENV_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"

ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN)]
"""Name of an object in the same namespace."""
Key = Annotated[str, Field(min_length=1, max_length=253)]
Decimal = Annotated[str, Field(min_length=1, max_length=24, pattern=DECIMAL)]
"""A decimal number written as a string, never as a float: `"0.05"`, `"5e-7"`."""


STORABLE: Final = AfterValidator(lambda number: max(-(2**63), min(2**63 - 1, number)))
"""JSON knows larger integers than the API server can store: they become the largest that it can."""
Int64 = Annotated[int, STORABLE]
_Item = TypeVar("_Item")


def last_of_each(attribute: str) -> Callable[[list[_Item]], list[_Item]]:
    """Return what keeps the last item of each name: a list of type `map` with two of one name is refused."""
    return lambda items: list({getattr(it, attribute): it for it in items}.values())


def _at_most_one(text: str) -> str:
    if float(text) > 1:
        raise ValueError(f"{text} is above 1; a share between 0 and 1 is required")
    return text


Share = Annotated[Decimal, Field(pattern=r"^(0(\.[0-9]+)?|1(\.0+)?)$"), AfterValidator(_at_most_one)]
"""A share between 0 and 1, as a decimal string."""
RelativePath = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^/].*$")]
"""A path inside a volume: relative, without a leading slash."""
SHORT_CHARS: Final = 512
ShortText = Annotated[str, Field(max_length=SHORT_CHARS)]
LongText = Annotated[str, Field(max_length=32768)]
EntryPoint = Annotated[
    str,
    Field(
        max_length=256, pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$"
    ),
]
"""Something in a Python module: `package.module:name`."""
Time = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})]
"""RFC 3339, UTC."""


def api_name(field: str) -> str:
    """Return the API's name of a Python field: camelCase, acronyms in capitals as Kubernetes writes them.

    >>> api_name("micro_batch_size_per_gpu"), api_name("dashboard_url"), api_name("gpus_per_node")
    ('microBatchSizePerGPU', 'dashboardURL', 'gpusPerNode')
    """
    return re.sub("(?<=[a-z])(Gpu|Url)$", lambda word: word.group().upper(), to_camel(field))


class ApiModel(BaseModel):
    """Base of every part of the API: immutable, camelCase outside, unknown fields refused, rules checked."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=api_name,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()
    """Cross-field rules, generated as CEL and checked here with the same message."""

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        for rule in self.rules:
            if rule.holds is not None and not rule.holds(self):
                raise ValueError(rule.message)
        return self

    def manifest(self, *, with_defaults: bool = True) -> dict[str, Any]:
        """Return the model as Kubernetes JSON: camelCase, absent fields left out.

        Without defaults it says only what was chosen, whether or not defaults were written out: the same in a
        later operator that knows more fields. So a default may never change within a version of the API.
        """
        return self.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude_defaults=not with_defaults
        )


def given(model: BaseModel, *names: str) -> int:
    """Return how many of the named optional fields are set.

    >>> class Volume(ApiModel):
    ...     claim_name: str | None = None
    ...     size: str | None = None
    >>> given(Volume(size="1Gi"), "claim_name", "size")
    1
    """
    return sum(getattr(model, name) is not None for name in names)


def exactly_one(message: str, **fields: str) -> Rule:
    """Return the rule that exactly one of the fields is set; `fields` maps Python names to API names."""
    has = ", ".join(f"has(self.{alias})" for alias in fields.values())
    return Rule(
        cel=f"[{has}].filter(x, x).size() == 1",
        message=message,
        holds=lambda model: given(model, *fields) == 1,
    )


def at_most_one(message: str, **fields: str) -> Rule:
    """Return the rule that no two of the fields are set; `fields` maps Python names to API names."""
    has = ", ".join(f"has(self.{alias})" for alias in fields.values())
    return Rule(
        cel=f"[{has}].filter(x, x).size() <= 1",
        message=message,
        holds=lambda model: given(model, *fields) <= 1,
    )
