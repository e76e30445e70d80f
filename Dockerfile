# The operator's image. Build from the root of the checkout:
#   docker build -t rrm-operator .
# BASE needs python3.11, and venv or apt-get. The final stage runs nothing, so that no cache and no
# configuration of the building machine can end in a layer.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG UV_VERSION=0.13.9
# Debian's own Python comes without venv; only this stage needs it.
RUN python3.11 -c "import ensurepip" 2>/dev/null \
 || (apt-get update && apt-get install --yes --no-install-recommends python3.11-venv)
RUN python3.11 -m venv /opt/uv && /opt/uv/bin/pip install --quiet --no-cache-dir "uv==${UV_VERSION}"
ENV UV_PROJECT_ENVIRONMENT=/opt/operator UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy
WORKDIR /src
# Third-party packages first: they change with the lock, our code changes more often.
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY crds/pyproject.toml crds/
COPY operator/pyproject.toml operator/
COPY tests/cluster/pyproject.toml tests/cluster/
RUN /opt/uv/bin/uv sync --quiet --locked --no-dev --no-install-workspace --python python3.11 --package rrm-operator
COPY crds/rrm_api crds/rrm_api
COPY operator/rrm_operator operator/rrm_operator
RUN /opt/uv/bin/uv sync --quiet --locked --no-dev --no-editable --python python3.11 --package rrm-operator
# Compiles what is imported, and only that (all of the Kubernetes client would be 50 MB more); also a smoke test.
RUN /opt/operator/bin/python -c "import rrm_operator.__main__"

FROM ${BASE}
COPY --from=build /opt/operator /opt/operator
# The user 1000 has no entry in passwd: libraries that ask who they are read USER.
# PYTHONMALLOC: so that memory can be given back (rrm_operator/memory.py).
ENV PATH=/opt/operator/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONMALLOC=malloc USER=rrm HOME=/tmp
USER 1000:1000
ENTRYPOINT ["python", "-m", "rrm_operator"]
