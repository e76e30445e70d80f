"""Pods of every role from one place: mounts, environment, security, typed knobs, pod templates.

Merged from below to above: what we plan, the operator's default template, the spec's typed knobs, the
spec's own template, and at last the labels that the operator finds the pod by.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rrm_api.run import CLAIMS_MOUNT, RUN_MOUNT, VOLUME_MOUNT, Layout
from rrm_api.spec_data import Data, Source
from rrm_api.spec_pods import PodKnobs, Resources
from rrm_operator.assess.checks import ALIAS, MAIN_CONTAINERS
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import Manifest, PodRole
from rrm_operator.plan.checkpoints import training_claim
from rrm_operator.plan.merge import merge, renamed, upsert
from rrm_operator.plan.names import labels, run_name
from rrm_operator.plan.plugins import plugin_mount, plugin_volume, with_plugin_path
from rrm_operator.plan.progress_access import progress_environment, service_account
from rrm_operator.plan.ray_environment import secret_variables
from rrm_operator.settings import Settings

_USER: Final = 1000
_PVC_SCHEME: Final = "pvc://"


@dataclass(frozen=True)
class Part:
    """What distinguishes the pods of one role."""

    role: PodRole
    knobs: PodKnobs
    resources: Resources
    """Where the knobs name none."""
    container: Manifest = field(default_factory=dict)
    """Command, ports: merged into the main container."""
    pod: Manifest = field(default_factory=dict)
    """Grace, volumes: merged into the pod's spec."""
    env: tuple[tuple[str, str], ...] = ()
    extended_resources: tuple[tuple[str, str], ...] = ()
    """Accelerators, as requests and limits."""
    reads_rows: bool = False
    """Mounts the claims that rows come from."""


def plan_pod(situation: Situation, part: Part, settings: Settings) -> Manifest:
    """Return the pod template of one role."""
    main = MAIN_CONTAINERS[part.role]
    template = _base(situation, part, settings)
    template = merge(template, renamed(settings.default_pod_template, alias=ALIAS, main=main))
    template = merge(template, _knobs(situation, part, main))
    template = merge(template, renamed(part.knobs.pod_template or {}, alias=ALIAS, main=main))
    if part.role in (PodRole.HEAD, PodRole.WORKER):
        template = with_plugin_path(template, situation.training.spec.plugins, main=main)
    found_by = {"metadata": {"labels": labels(situation.training.metadata.name, part.role)}}
    return merge(template, found_by)


def _base(situation: Situation, part: Part, settings: Settings) -> Manifest:
    account = service_account(situation.training)
    spec: Manifest = {
        "serviceAccountName": account,
        # Only who reports needs a token: the verl processes on the workers run other people's models.
        "automountServiceAccountToken": part.role is not PodRole.WORKER,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(situation, part, settings)],
        "volumes": _volumes(situation, part),
    }
    return {"metadata": {}, "spec": merge(spec, part.pod)}


def _container(situation: Situation, part: Part, settings: Settings) -> Manifest:
    container: Manifest = {
        "name": MAIN_CONTAINERS[part.role],
        "image": situation.image,
        "env": _environment(situation, part),
        "resources": (part.knobs.resources or part.resources).manifest(),
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": _mounts(situation, part),
    }
    if settings.default_image_pull_policy is not None:
        container["imagePullPolicy"] = settings.default_image_pull_policy.value
    return merge(container, part.container)


def _environment(situation: Situation, part: Part) -> list[Manifest]:
    training = situation.training
    layout = Layout(Path(VOLUME_MOUNT), training.metadata.name)
    plain = {
        # The user 1000 has no entry in the image's passwd: without these, libraries ask for one.
        "HOME": "/tmp",
        "USER": "rrm",
        "HF_HOME": str(layout.root / "cache" / "huggingface"),
        "PYTHONUNBUFFERED": "1",
        **secret_variables(training.spec),
        **dict(part.env),
    }
    if part.role is not PodRole.WORKER:
        plain |= progress_environment(training)
    entries: list[Manifest] = [{"name": name, "value": value} for name, value in plain.items()]
    token = training.spec.model.token_secret_ref
    if token is not None:
        entries.append({"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": token.manifest()}})
    return entries


def _knobs(situation: Situation, part: Part, main: str) -> Manifest:
    """Return the typed knobs of the spec as a template."""
    knobs, pod = part.knobs, dict[str, Any]()
    if knobs.node_selector is not None:
        pod["nodeSelector"] = dict(knobs.node_selector)
    if knobs.tolerations is not None:
        pod["tolerations"] = [it.manifest() for it in knobs.tolerations]
    secrets = situation.training.spec.image_pull_secrets
    if secrets:
        pod["imagePullSecrets"] = [it.manifest() for it in secrets]
    return {"spec": {**pod, "containers": [{"name": main, **_container_knobs(situation, part)}]}}


def _container_knobs(situation: Situation, part: Part) -> Manifest:
    spec, accelerators = situation.training.spec, dict(part.extended_resources)
    amounts = {"requests": accelerators, "limits": accelerators} if accelerators else {}
    typed = part.knobs.resources.manifest() if part.knobs.resources is not None else {}
    container: Manifest = {}
    if typed or amounts:
        container["resources"] = merge(typed, amounts)
    if spec.env:
        container["env"] = [entry.manifest() for entry in spec.env]
    if spec.image is not None:
        container["image"] = situation.image
    if spec.image_pull_policy is not None:
        container["imagePullPolicy"] = spec.image_pull_policy.value
    return container


def _mounts(situation: Situation, part: Part) -> list[Manifest]:
    own: list[Manifest] = [
        {"name": "rrm", "mountPath": VOLUME_MOUNT},
        {"name": "run", "mountPath": RUN_MOUNT, "readOnly": True},
    ]
    others: list[Manifest] = [
        {"name": volume, "mountPath": f"{CLAIMS_MOUNT}/{claim}", "readOnly": True}
        for volume, claim in _other_claims(situation, part).items()
    ]
    return own + others + plugin_mount(situation.training.spec.plugins, _volume_names(situation, part))


def _volumes(situation: Situation, part: Part) -> list[Manifest]:
    training = situation.training
    own: list[Manifest] = [
        {"name": "rrm", "persistentVolumeClaim": {"claimName": training_claim(training)}},
        {"name": "run", "configMap": {"name": run_name(training.metadata.name)}},
    ]
    others: list[Manifest] = [
        {"name": volume, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
        for volume, claim in _other_claims(situation, part).items()
    ]
    plugins = plugin_volume(training.spec.plugins, _volume_names(situation, part))
    return upsert(own, others + plugins, "volumes")


def _volume_names(situation: Situation, part: Part) -> dict[str, str]:
    """Return the volumes of claims, by claim."""
    others = {claim: volume for volume, claim in _other_claims(situation, part).items()}
    return {training_claim(situation.training): "rrm", **others}


def _other_claims(situation: Situation, part: Part) -> dict[str, str]:
    """Return the claims that are only read, by the name of their volume in the pod."""
    spec = situation.training.spec
    claims = {spec.model.volume.claim_name} if spec.model.volume is not None else set()
    if part.reads_rows:
        claims |= {claim for claim in map(_claim_of, _sources(spec.data)) if claim is not None}
    return {f"claim-{i}": claim for i, claim in enumerate(sorted(claims))}


def _sources(data: Data) -> list[Source]:
    held_out = [part.sources or [] for part in (data.validation, data.test) if part is not None]
    return [*data.train, *(source for part in held_out for source in part), *data.decontaminate]


def _claim_of(source: Source) -> str | None:
    if not source.uri.startswith(_PVC_SCHEME):
        return None
    return source.uri.removeprefix(_PVC_SCHEME).partition("/")[0]
