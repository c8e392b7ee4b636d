"""Checks the Grafana dashboard: every query in it is one that Prometheus understands.

    .venv/bin/python deploy/checks/dashboard.py promtool
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import yaml

DASHBOARD = pathlib.Path(__file__).resolve().parents[1] / "monitoring" / "dashboard.json"

# What Grafana puts in before it asks Prometheus.
VARIABLES = {"$__rate_interval": "1m", "$__range": "1h", "$job": ".*", "$instance": ".*"}


def queries(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def main(promtool):
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)), "two panels have the same id"
    rules = []
    for number, query in enumerate(queries(dashboard)):
        for variable, value in VARIABLES.items():
            query = query.replace(variable, value)
        assert "$" not in query, f"an unknown variable in {query}"
        # promtool checks rules and not queries, so each becomes one.
        rules.append({"record": f"panel:query:{number}", "expr": query})
    assert rules, "the dashboard asks for nothing"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
        file.flush()
        subprocess.run([promtool, "check", "rules", file.name], check=True, stdout=subprocess.DEVNULL)
    print(f"ok   deploy/monitoring/dashboard.json: {len(rules)} queries")


if __name__ == "__main__":
    main(*sys.argv[1:])
