"""Pydantic models to a structural OpenAPI v3 schema, as the API server demands it.

Goes in: a model class. Comes out: a schema with references inlined, no titles, optional members without null,
our rules as `x-kubernetes-validations`. A keyword we do not know is refused rather than passed on.
"""

import inspect
from typing import Any

from pydantic import BaseModel

from rrm_api.fields import ApiModel

Schema = dict[str, Any]

_KEPT = frozenset(
    {
        "type",
        "description",
        "default",
        "enum",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "required",
        "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-validations",
    }
)
_DROPPED = frozenset({"title", "propertyNames"})


class UnknownKeyword(ValueError):
    """A JSON-schema keyword that has no place in a structural schema."""


def structural_schema(model: type[ApiModel]) -> Schema:
    """Return the structural schema of a model.

    Raises:
        UnknownKeyword: If pydantic emits something that the API server would refuse or ignore.
    """
    document = model.model_json_schema(by_alias=True, mode="validation")
    definitions = document.pop("$defs", {})
    models = _models_by_name(model)
    return _convert(document, definitions, models, path=model.__name__)


def _models_by_name(root: type[BaseModel]) -> dict[str, type[ApiModel]]:
    found: dict[str, type[ApiModel]] = {}
    pending: list[Any] = [root]
    while pending:
        annotation = pending.pop()
        if inspect.isclass(annotation) and issubclass(annotation, ApiModel):
            if annotation.__name__ in found:
                continue
            found[annotation.__name__] = annotation
            pending.extend(field.annotation for field in annotation.model_fields.values())
        else:
            pending.extend(getattr(annotation, "__args__", ()))
    return found


def _convert(node: Schema, definitions: Schema, models: dict[str, type[ApiModel]], path: str) -> Schema:
    node = _inlined(node, definitions, models)
    converted: Schema = {}
    for keyword, value in node.items():
        if keyword == "properties":
            converted[keyword] = {
                name: _convert(member, definitions, models, f"{path}.{name}")
                for name, member in value.items()
            }
        elif keyword in {"items", "additionalProperties"}:
            if isinstance(value, dict):
                converted[keyword] = _convert(value, definitions, models, f"{path}.{keyword}")
        elif keyword == "const":
            converted["enum"] = [value]
        elif keyword in _KEPT:
            converted[keyword] = value
        elif keyword not in _DROPPED:
            raise UnknownKeyword(f"{path}: `{keyword}` cannot be said in a structural schema")
    return _settled(converted)


def _inlined(node: Schema, definitions: Schema, models: dict[str, type[ApiModel]]) -> Schema:
    """Follow a reference or an optional to the schema behind it; what stands beside it wins."""
    beside = {k: v for k, v in node.items() if k not in {"$ref", "anyOf"}}
    if "anyOf" in node:
        members = [member for member in node["anyOf"] if member.get("type") != "null"]
        if len(members) != 1:
            raise UnknownKeyword(f"`anyOf` with {len(members)} members cannot be said; use optional members")
        beside = {k: v for k, v in beside.items() if not (k == "default" and v is None)}
        return _inlined({**members[0], **beside}, definitions, models)
    if "$ref" not in node:
        return node
    name = node["$ref"].rsplit("/", 1)[-1]
    target = dict(definitions[name])
    if name in models and models[name].rules:
        target["x-kubernetes-validations"] = [rule.schema() for rule in models[name].rules]
    return _inlined({**target, **beside}, definitions, models)


def _settled(schema: Schema) -> Schema:
    """Tidy what only the API server is strict about."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.pop("additionalProperties", None)
    if schema.get("x-kubernetes-int-or-string"):
        # It has no type. Bounds of texts are asked of its text form alone, a minimum of its integer form.
        schema.pop("type", None)
    if isinstance(schema.get("default"), dict):
        schema["default"] = _own_default(schema["default"], schema)
    return schema


def _own_default(default: Schema, schema: Schema) -> Schema:
    """Leave to the members what they default to themselves; the API server fills those in."""
    members = schema.get("properties", {})
    return {
        name: _own_default(value, members[name]) if isinstance(value, dict) and name in members else value
        for name, value in default.items()
        if value is not None and members.get(name, {}).get("default") != value
    }
