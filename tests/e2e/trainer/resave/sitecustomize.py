"""Test aid, active where this folder is on the path: a resumed trainer saves at once what it has loaded.

Before the first step, into the folder that RRM_TEST_RESAVE names: what is bit-equal there was loaded whole.
"""

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from types import ModuleType

TARGET = "rrm.train.hooks.trainer"
FOLDER = os.environ.get("RRM_TEST_RESAVE")


def save_when_loaded(module: ModuleType) -> None:
    import torch

    trainer = module.RrmTrainer
    begin = trainer.on_train_begin

    def on_train_begin(self: object) -> None:
        assert FOLDER is not None
        self.actor_rollout_wg.save_checkpoint(f"{FOLDER}/actor", None, 0, max_ckpt_to_keep=None)  # type: ignore[attr-defined]
        torch.save(self.train_dataloader.state_dict(), f"{FOLDER}/data.pt")  # type: ignore[attr-defined]
        begin(self)

    trainer.on_train_begin = on_train_begin


class AfterImport(importlib.abc.MetaPathFinder):
    """Lets the one module be imported as always, then changes its class."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != TARGET:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.loader is not None
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            save_when_loaded(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if FOLDER:
    sys.meta_path.insert(0, AfterImport())
