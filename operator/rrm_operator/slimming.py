"""What is dropped of a list as soon as it is read: at a start ten thousand objects wait for their turn."""

from typing import Any

from rrm_operator.facts import Kind


def slim_list(answer: Any) -> Any:
    """Drop in place what no fact is made of; an answer that is no list is left as it is, whoever gave it.

    Who manages which field is a third of every object, and read by nobody; templates and containers are most
    of what pods, and those who make them, say.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
        return answer
    kind = str(answer.get("kind", "")).removesuffix("List")
    for item in answer["items"]:
        if not isinstance(item, dict):
            continue
        metadata, spec = item.get("metadata"), item.get("spec")
        if isinstance(metadata, dict):
            metadata.pop("managedFields", None)
        if isinstance(spec, dict):
            item["spec"] = _slim_spec(kind, spec)
    return answer


def _slim_spec(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    match kind:
        case Kind.POD:
            containers = spec.get("containers")
            found = containers if isinstance(containers, list) else []
            return {"containers": [{"name": it.get("name")} for it in found if isinstance(it, dict)]}
        case Kind.RAY_CLUSTER:
            return {"suspend": spec.get("suspend")}
        case Kind.JOB:
            return {}
        case _:
            return spec
