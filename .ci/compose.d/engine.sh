# Finds a Docker engine and the base images, sourced by .ci/compose.
# shellcheck shell=bash disable=SC2034,SC2154

engine=
# Makes local images under the public names, where the registry can't be reached.
stand_in_images=${STAND_IN_IMAGES:-../shared/images/standin-images}
base_images=(debian:trixie-slim rust:1-slim-trixie postgres:17-trixie caddy:2)

have_images() {
  local image
  for image in "${base_images[@]}"; do
    docker image inspect "$image" >/dev/null 2>&1 || docker pull --quiet "$image" >/dev/null 2>&1 || return 1
  done
}

find_engine() {
  local running=
  docker info >/dev/null 2>&1 && running=yes
  if [ -z "$running" ] || ! have_images; then
    [ -x "$stand_in_images" ] || return 0
    [ -n "$running" ] || engine_started=yes
    # A machine that may run no engine is no fault of ours.
    "$stand_in_images" up >"$scratch/images.log" 2>&1 || { tail -n 20 "$scratch/images.log" >&2; return 0; }
    hash -r
  fi
  if [ -x "$stand_in_images" ]; then
    eval "$("$stand_in_images" env)"
  fi
  engine=yes
  # Compose 2 is a part of docker.
  if ! command -v docker-compose >/dev/null; then
    # shellcheck disable=SC2317 # whatever is sourced later calls it
    docker-compose() { docker compose "$@"; }
    export -f docker-compose
  fi
}
