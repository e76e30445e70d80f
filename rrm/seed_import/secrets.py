"""What must not be copied: names that promise a secret, and values that look like one."""

import re
from typing import Final

_NAME: Final = re.compile(
    r"(?i)(?:^|[_.-])(?:api_?key|secret|password|passwd|credentials?)(?:$|[_.-])"
    r"|(?:^|[_.-])(?:key|token|auth|pass)$"
)
_VALUE: Final = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@"  # user:password@host
    r"|\b(?:sk|hf|ghp|gho|glpat|xox[abp]|wandb_v1)[-_][A-Za-z0-9_-]{12,}"
    r"|\bgithub_pat_\w{12,}|\bAKIA[A-Z0-9]{12,}|\bLTAI[A-Za-z0-9]{12,}|\bAIza[\w-]{20,}"
    r"|\beyJ[\w-]{10,}\.|-----BEGIN|\bBearer\s+\S{8,}"
    r"|^[0-9a-f]{40}$"  # a tracking server's key
)
_HARMLESS: Final = frozenset({"prompt_key", "image_key", "video_key", "reward_fn_key", "response_key"})
"""Keys of verl that name a column."""


def is_secret(name: str, value: str) -> bool:
    """Return whether a variable or key holds a secret; rather once too often.

    >>> is_secret("WANDB_API_KEY", "x"), is_secret("TOKENIZERS_PARALLELISM", "true")
    (True, False)
    >>> is_secret("WANDB_BASE_URL", "https://me:pass@host"), is_secret("data.prompt_key", "input")
    (True, False)
    """
    if name.rpartition(".")[2] in _HARMLESS:
        return False
    return _NAME.search(name) is not None or _VALUE.search(value) is not None
