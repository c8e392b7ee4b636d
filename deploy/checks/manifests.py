"""Renders every kustomization in deploy/kubernetes, validates what comes out, and checks what no
schema says: that names lead to what they name, and times fit each other. The clients' service
config is held against the contract.

    .venv/bin/python deploy/checks/manifests.py
"""

import json
import pathlib
import re
import subprocess
import tomllib

import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = ["base", "overlays/embedded", "overlays/shared", "example", "example-tls"]

# The oldest Kubernetes that docs/operations.md promises, and the newest that is known.
VERSIONS = ["1.29", kubernetes_validate.latest_version()]

# Kinds of others, whose schemas kubernetes-validate does not have; checked by what they name only.
FOREIGN_KINDS = {"ServiceMonitor", "GRPCRoute"}

# How long the server waits for its store to close and then for its last traces to be sent, after the
# drain (src/server.rs, src/telemetry/traces.rs).
CLOSE_SECONDS = 12


def render(overlay):
    """The objects of a kustomization."""
    command = ["kubectl", "kustomize", str(KUBERNETES / overlay)]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return list(yaml.safe_load_all(text))


def of_kind(objects, *kinds):
    return [it for it in objects if it["kind"] in kinds]


def workload(objects):
    """The one object that keeps the pods."""
    [found] = of_kind(objects, "Deployment", "StatefulSet")
    return found


def container(objects):
    [found] = workload(objects)["spec"]["template"]["spec"]["containers"]
    return found


def settings(objects):
    """The server's environment, as far as it stands in the ConfigMap."""
    [reference] = container(objects)["envFrom"]
    name = reference["configMapRef"]["name"]
    [found] = [it for it in of_kind(objects, "ConfigMap") if it["metadata"]["name"] == name]
    return found["data"]


def setting_names(objects):
    return {*settings(objects), *(variable["name"] for variable in container(objects).get("env", []))}


def probes(objects):
    """The gRPC probes, by name."""
    names = ["startupProbe", "livenessProbe", "readinessProbe"]
    return {name: container(objects)[name]["grpc"] for name in names}


def has_tls(objects):
    return "COPYDESK_TLS_CERT" in settings(objects)


def seconds(duration):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", duration).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]


def selects(selector, labels):
    return selector.items() <= labels.items()


def contract():
    """The services of the contract, and the methods of them that stream, with their services."""
    services, streams = set(), set()
    for file in sorted((ROOT / "proto" / "copydesk" / "v1").glob("*.proto")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"service (\w+)", line):
                service = f"copydesk.v1.{found.group(1)}"
                services.add(service)
            elif found := re.match(r"  rpc (\w+)\(.*\bstream ", line):
                streams.add((service, found.group(1)))
    return services, streams


def check_service_config():
    """Clients are told what to do about every service; and streams, which may last, have no timeout."""
    services, streams = contract()
    config = json.loads((ROOT / "deploy" / "service-config.json").read_text(encoding="utf-8"))
    named = {"timeout": set(), "none": set()}
    for methods in config["methodConfig"]:
        names = {(name["service"], name.get("method")) for name in methods["name"]}
        named["timeout" if "timeout" in methods else "none"] |= names
    assert named["timeout"] == {(service, None) for service in services}, "not the contract's services"
    assert named["none"] == streams, "not the contract's streaming methods"
    print(f"ok   deploy/service-config.json: {len(services)} services, {len(streams)} streaming methods")


def check_schemas(objects):
    for it in objects:
        if it["kind"] not in FOREIGN_KINDS:
            for version in VERSIONS:
                kubernetes_validate.validate(it, version, strict=True)


def check_pod(objects):
    """The restricted pod security standard, and a drain that fits its time."""
    spec = workload(objects)["spec"]["template"]["spec"]
    pod, own = spec["securityContext"], container(objects)["securityContext"]
    assert pod["runAsNonRoot"] and pod["runAsUser"] > 0, "the pod may run as root"
    assert pod["seccompProfile"]["type"] == "RuntimeDefault", "no seccomp profile"
    assert own["allowPrivilegeEscalation"] is False, "privileges may grow"
    assert own["readOnlyRootFilesystem"], "the root can be written to"
    assert own["capabilities"] == {"drop": ["ALL"]}, "capabilities are left"
    assert spec["automountServiceAccountToken"] is False, "the pod gets a token"
    for resource in ("cpu", "memory"):
        assert resource in container(objects)["resources"]["requests"], f"no request of {resource}"
    assert "memory" in container(objects)["resources"]["limits"], "memory has no limit"

    drain = settings(objects)
    needed = seconds(drain["COPYDESK_DRAIN_DELAY"]) + seconds(drain["COPYDESK_DRAIN_TIMEOUT"])
    needed += CLOSE_SECONDS
    grace = spec["terminationGracePeriodSeconds"]
    assert grace >= needed, f"the pod is killed after {grace} s, a drain may take {needed} s"


def check_names(objects):
    """What one object says of another is so."""
    labels = workload(objects)["spec"]["template"]["metadata"]["labels"]
    ports = {port["name"]: port["containerPort"] for port in container(objects)["ports"]}
    selector = workload(objects)["spec"]["selector"]["matchLabels"]
    assert selects(selector, labels), "the workload does not know its own pods"
    for listen, port in [("COPYDESK_LISTEN", "grpc"), ("COPYDESK_ADMIN_LISTEN", "metrics")]:
        assert settings(objects)[listen] == f"0.0.0.0:{ports[port]}", f"{listen} is not the port {port}"
    for name, probe in probes(objects).items():
        assert probe["port"] == ports["metrics"], f"{name} asks another port"
    mounted = [mount["mountPath"] + "/" for mount in container(objects).get("volumeMounts", [])]
    for name, value in settings(objects).items():
        inside = not value.startswith("/") or any(value.startswith(path) for path in mounted)
        assert inside, f"{name} names a file in no volume"

    services = {service["metadata"]["name"]: service for service in of_kind(objects, "Service")}
    for service in services.values():
        assert selects(service["spec"]["selector"], labels), "a Service finds no pod"
        for port in service["spec"]["ports"]:
            assert ports.get(port["targetPort"]) == port["port"], f"a Service has a wrong port: {port}"
    if workload(objects)["kind"] == "StatefulSet":
        named = services[workload(objects)["spec"]["serviceName"]]
        assert named["spec"]["clusterIP"] == "None", "the StatefulSet's Service is not headless"

    for policy in of_kind(objects, "NetworkPolicy"):
        assert selects(policy["spec"]["podSelector"]["matchLabels"], labels), "a policy for no pod"
        for rule in policy["spec"]["ingress"]:
            assert all(port["port"] in ports for port in rule["ports"]), f"no such port: {rule}"
    for budget in of_kind(objects, "PodDisruptionBudget"):
        assert selects(budget["spec"]["selector"]["matchLabels"], labels), "a budget for no pod"
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        found = workload(objects)
        named = (target["kind"], target["name"])
        assert named == (found["kind"], found["metadata"]["name"]), f"there is no {named} to scale"
        assert "replicas" not in found["spec"], "the autoscaler and the manifest would quarrel"
    for monitor in of_kind(objects, "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"]
        [service] = [it for it in services.values() if selects(wanted, it["metadata"]["labels"])]
        names = {port["name"] for port in service["spec"]["ports"]}
        for endpoint in monitor["spec"]["endpoints"]:
            assert endpoint["port"] in names, f"the ServiceMonitor asks for a wrong port: {endpoint}"
    for route in of_kind(objects, "GRPCRoute"):
        for rule in route["spec"]["rules"]:
            routed = {match["method"]["service"] for match in rule["matches"]}
            assert routed == contract()[0], "the GRPCRoute has not the contract's services"
            for backend in rule["backendRefs"]:
                offered = services[backend["name"]]["spec"]["ports"]
                assert backend["port"] in {port["port"] for port in offered}, f"a wrong port: {backend}"


def check_version(objects):
    """The version is that of the crate."""
    crate = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    image = container(objects)["image"]
    assert image.endswith(f":{crate}"), f"{image} is not version {crate}"
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    assert f"ARG VERSION={crate}\n" in dockerfile, f"the Dockerfile is not of version {crate}"


def main():
    check_service_config()
    for overlay in OVERLAYS:
        objects = render(overlay)
        for check in (check_schemas, check_pod, check_names, check_version):
            check(objects)
        unchecked = [it["kind"] for it in of_kind(objects, *FOREIGN_KINDS)]
        note = f" ({', '.join(unchecked)} without a schema)" if unchecked else ""
        print(f"ok   deploy/kubernetes/{overlay}: {len(objects)} objects, {' and '.join(VERSIONS)}{note}")


if __name__ == "__main__":
    main()
