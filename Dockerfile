# One image for web, worker, trainer and beat (docker-compose.yml).
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PODIUM_HOME=/data ARTIFACT_ROOT=/data/artifacts
WORKDIR /app
# On a GPU machine build with --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 or the like.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY pyproject.toml constraints.txt README.md ./
RUN pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" -c constraints.txt . \
    && useradd --create-home podium && mkdir /data && chown podium /data
COPY . .
USER podium
VOLUME /data
EXPOSE 8000
