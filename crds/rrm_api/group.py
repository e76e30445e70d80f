"""The one place that names the API group, its version and the names derived from them."""

from typing import Final

GROUP: Final = "training.rrm.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = "training.rrm.dev/v1alpha1"
KIND: Final = "RewardModelTraining"
PLURAL: Final = "rewardmodeltrainings"
SINGULAR: Final = "rewardmodeltraining"
SHORT_NAME: Final = "rmt"
CATEGORY: Final = "rrm"
CRD_NAME: Final = f"{PLURAL}.{GROUP}"

LABEL_TRAINING: Final = f"{GROUP}/training"
LABEL_ROLE: Final = f"{GROUP}/role"
LABEL_ATTEMPT: Final = f"{GROUP}/attempt"
ANNOTATION_DIGEST: Final = f"{GROUP}/digest"
ANNOTATION_STOP_ATTEMPT: Final = f"{GROUP}/stop-attempt"
"""On the progress ConfigMap: the attempt that shall save and leave."""
