"""Values in the grammar of Hydra's command line."""

Value = str | int | float | bool | None


def written(value: Value) -> str:
    """Return a value in Hydra's grammar; text with its special characters is quoted.

    >>> [written(v) for v in (True, None, 5e-4, "a b", "[console,file]", "/mnt/x=1")]
    ['true', 'null', '0.0005', "'a b'", '[console,file]', "'/mnt/x=1'"]
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return value if _is_plain(value) else "'" + value.replace("'", "\\'") + "'"
        case _:
            return repr(value)


def _is_plain(text: str) -> bool:
    is_structure = text[:1] + text[-1:] in ("[]", "{}", "''")
    return is_structure or not set(text) & set(" =,()[]{}'\"\\#$")
