"""The Kubernetes manifests: of the form that KubeRay's v1 objects have, and without a secret in the open."""

from pathlib import Path
from typing import Any

import pytest
import yaml

MANIFESTS = Path(__file__).parents[2] / "deploy" / "kuberay"
CLUSTER = {"rayVersion", "headGroupSpec", "workerGroupSpecs"}
GROUP = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
JOB = {
    "entrypoint",
    "submissionMode",
    "shutdownAfterJobFinishes",
    "ttlSecondsAfterFinished",
    "backoffLimit",
    "rayClusterSpec",
}


def _manifest(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((MANIFESTS / name).read_text(encoding="utf-8")))


def _check_cluster(spec: dict[str, Any]) -> None:
    assert set(spec) == CLUSTER
    assert set(spec["headGroupSpec"]) == {"rayStartParams", "template"}
    assert all(set(group) == GROUP for group in spec["workerGroupSpecs"])
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    for group in groups:
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        for container in group["template"]["spec"]["containers"]:
            assert {"name", "image", "resources"} <= set(container)
            assert all(isinstance(variable["value"], str) for variable in container["env"])


def test_a_cluster_is_one_of_kuberay() -> None:
    cluster = _manifest("raycluster.yaml")

    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    _check_cluster(cluster["spec"])


def test_a_job_is_one_of_kuberay_and_takes_its_secrets_from_an_object_of_its_own() -> None:
    job, secret = _manifest("rayjob.yaml"), _manifest("secret.yaml")

    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    assert set(job["spec"]) == JOB
    _check_cluster(job["spec"]["rayClusterSpec"])
    (head,) = job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"]
    assert head["envFrom"] == [{"secretRef": {"name": secret["metadata"]["name"]}}]


@pytest.mark.parametrize("name", ["raycluster.yaml", "rayjob.yaml"])
def test_no_secret_stands_in_a_manifest(name: str) -> None:
    text = (MANIFESTS / name).read_text(encoding="utf-8")

    assert not any(word in text for word in _manifest("secret.yaml")["stringData"])
