"""The parent's ear and mouth in Kubernetes: progress into the ConfigMap, the stop annotation out of it."""

import http.client
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from rrm.config_map import ConfigMapAccess, ConfigMapRefused, ask, merge_keys
from rrm.train.parent import Watcher
from rrm_api.group import ANNOTATION_STOP_ATTEMPT
from rrm_api.run import PROGRESS_KEY, Progress

LOG = logging.getLogger(__name__)
PATCH_SECONDS: Final = 3.0
LOOK_SECONDS: Final = 5.0


class ConfigMapWatcher:
    """Patches at most every few seconds and looks for the annotation as rarely."""

    def __init__(
        self, access: ConfigMapAccess, attempt: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._access = access
        self._attempt = attempt
        self._clock = clock
        self._patched = self._looked = float("-inf")
        self._is_unreadable = False
        self._waiting: Progress | None = None

    def on_progress(self, progress: Progress) -> None:
        """Pass a document on, now or when its turn comes; a newer one replaces one that waits."""
        self._waiting = progress
        self._flush()

    def _flush(self) -> None:
        if self._waiting is None or self._clock() - self._patched < PATCH_SECONDS:
            return
        self._patched = self._clock()
        text = self._waiting.model_dump_json(by_alias=True, exclude_none=True)
        try:
            # No pauses between tries: the next document says more than a late one.
            merge_keys(self._access, {PROGRESS_KEY: text}, sleep=lambda _: None)
        except ConfigMapRefused as refusal:
            LOG.warning("progress was not taken: %s", refusal)
        else:
            self._waiting = None

    def is_stop_asked(self) -> bool:
        """Tell whether the annotation names this attempt; an API server that is away has asked nothing."""
        self._flush()
        if self._clock() - self._looked < LOOK_SECONDS:
            return False
        self._looked = self._clock()
        try:
            asked = read_annotations(self._access).get(ANNOTATION_STOP_ATTEMPT)
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            if not self._is_unreadable:
                LOG.warning("annotations of the progress ConfigMap are not readable now: %s", error)
            self._is_unreadable = True
            return False
        self._is_unreadable = False
        return asked == str(self._attempt)


def read_annotations(access: ConfigMapAccess) -> Mapping[str, str]:
    """Return the annotations of the ConfigMap.

    Raises:
        OSError: the API server did not answer, or refused.
        http.client.HTTPException: its answer broke off.
        ValueError: it did not answer with JSON.
        KeyError: its answer is no object of Kubernetes.
    """
    metadata = json.loads(ask(access))["metadata"]
    annotations: dict[str, str] = metadata.get("annotations") or {}
    return annotations


class NobodyWatches:
    """Outside Kubernetes there is no ConfigMap."""

    def on_progress(self, progress: Progress) -> None:
        """Take no notice."""

    def is_stop_asked(self) -> bool:
        """Nobody can ask but by the stop mark itself."""
        return False


def watcher_from(environ: Mapping[str, str], attempt: int) -> Watcher:
    """Return the watcher of this process."""
    access = ConfigMapAccess.from_environment(environ)
    return NobodyWatches() if access is None else ConfigMapWatcher(access, attempt)
