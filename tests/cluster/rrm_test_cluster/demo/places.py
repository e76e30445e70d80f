"""Where the demo keeps things, and what its objects are called."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[4]
CHART: Final = CHECKOUT / "charts" / "rrm-operator"
EXAMPLE: Final = CHECKOUT / "crds" / "examples" / "tiny-cpu.yaml"

NAMESPACE: Final = "demo"
TRAINING: Final = "tiny-judge"
CLAIM: Final = "demo"
"""Claim of rows and model, named in the example."""
ENVIRONMENT_CLAIM: Final = "trainer-env"
OPERATOR_NAMESPACE: Final = "rrm-system"
RELEASE: Final = "rrm"
KEYS_SECRET: Final = "rrm-ray-keys"


@dataclass(frozen=True)
class Places:
    """Folders below `.rrm` of the checkout, which git ignores."""

    root: Path = CHECKOUT / ".rrm"

    @property
    def claim(self) -> Path:
        """What the claim `demo` holds; `rrm run` reads the same folder."""
        return self.root / "claims" / CLAIM

    @property
    def demo(self) -> Path:
        """Everything of the last demo."""
        return self.root / "demo"

    @property
    def cluster(self) -> Path:
        """The embedded cluster's folder."""
        return self.demo / "cluster"

    @property
    def volume(self) -> Path:
        """Copy of the training's volume, which outlives the cluster."""
        return self.demo / "volume"
