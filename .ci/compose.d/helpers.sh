# What the checks have in common, sourced by .ci/compose.
# shellcheck shell=bash disable=SC2034,SC2154

passed=0

pass() {
  passed=$((passed + 1))
  echo "ok      $*"
}

fail() {
  echo "FAILED  $*" >&2
  docker-compose ps >&2 || true
  docker-compose logs --no-color --tail 40 >&2 || true
  exit 1
}

# eventually SECONDS WHAT COMMAND…: waits until the command succeeds.
eventually() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "in time: $what"
    sleep 0.2
  done
}

# expect WHAT WANTED GOT: WANTED is what stands somewhere in GOT.
expect() {
  case $3 in
  *"$2"*) pass "$1" ;;
  *) fail "$1: no '$2' in: $3" ;;
  esac
}

random() { head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

# Runs quietly, and tells all when it fails.
quietly() {
  "$@" >"$scratch/output" 2>&1 || { cat "$scratch/output" >&2; fail "$*"; }
}

logs() { docker-compose logs --no-color "$@" 2>&1; }

# Reads to the end: with -q, grep would leave while the log is still written to it, and that counts as a failure.
says() { logs "$1" | grep -F -- "$2" >/dev/null; }

# healthy SERVICE COUNT: that many of its containers are.
healthy() {
  local id count=0
  for id in $(docker-compose ps -q "$1"); do
    [ "$(docker inspect -f '{{.State.Health.Status}}' "$id")" != healthy ] || count=$((count + 1))
  done
  [ "$count" -eq "$2" ]
}

# event ID: the least of one.
event() { printf '{"event":"call.completed","event_id":"evt_%s","call_id":"cl_%s","status":"answered"}' "$1" "$1"; }

# deliver ID [CURL'S OPTIONS]: the status, then what the receiver says.
deliver() {
  local id=$1
  shift
  curl -sS -m 10 -w '%{http_code} ' -o "$scratch/answer" -X POST "http://${WEBHOOK_PUBLISH%-*}/webhooks/after-call" \
    -H "X-Webhook-Token: ${WEBHOOK_TOKEN-}" -d "$(event "$id")" "$@" 2>&1 && cat "$scratch/answer"
}
