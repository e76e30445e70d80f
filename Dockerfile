# The operator's image. Build from the root of the checkout:
#   docker build -t rrm-operator .
# BASE needs python3.11 and apt-get. The final stage runs nothing, so that no cache and no configuration of the
# building machine can end in a layer.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG UV_VERSION=0.13.9
# Debian's own Python comes without venv; only this stage needs it.
RUN python3.11 -c "import ensurepip" 2>/dev/null \
 || (apt-get update && apt-get install --yes --no-install-recommends python3.11-venv)
RUN python3.11 -m venv /opt/uv && /opt/uv/bin/pip install --quiet --no-cache-dir "uv==${UV_VERSION}"
# Where every architecture's loader looks without being told.
RUN apt-get update && apt-get install --yes --no-install-recommends libjemalloc2 \
 && cp /usr/lib/*/libjemalloc.so.2 /usr/lib/
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
COPY --from=build /usr/lib/libjemalloc.so.2 /usr/lib/
COPY --from=build /opt/operator /opt/operator
# The user 1000 has no entry in passwd: libraries that ask who they are read USER.
ENV PATH=/opt/operator/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 USER=rrm HOME=/tmp
# What is kept of a list of everything lies scattered among what is not, and Python's own allocator gives back
# nothing of that (docs/decisions/0017-a-start-is-ten-thousand-events.md).
ENV PYTHONMALLOC=malloc LD_PRELOAD=libjemalloc.so.2 \
    MALLOC_CONF=background_thread:true,narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0
USER 1000:1000
ENTRYPOINT ["python", "-m", "rrm_operator"]
