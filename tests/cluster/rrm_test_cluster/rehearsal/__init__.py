"""Rehearsals: the real parent, records and checkpoints around a child that trains nothing; faults to order.

`rehearsal_training` returns a training whose attempts rehearse in the real trainer's pods, and
`rehearsal_plugins` the ConfigMap that brings the child there.
"""

from rrm_test_cluster.rehearsal.orders import Act, Fault, Rehearsal
from rrm_test_cluster.rehearsal.training import rehearsal_plugins, rehearsal_training

__all__ = ["Act", "Fault", "Rehearsal", "rehearsal_plugins", "rehearsal_training"]
