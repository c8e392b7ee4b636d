#!/bin/sh
# Makes a Python environment in .venv and the client's code from the protos.
set -eu
cd "$(dirname "$0")/../.."
[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check -r examples/python/requirements.txt
out=.venv/generated
mkdir -p "$out"
.venv/bin/python -m grpc_tools.protoc -I proto --python_out="$out" --grpc_python_out="$out" proto/copydesk/v1/*.proto
