# `docker-compose up` in a fresh clone, sourced by .ci/compose.
# shellcheck shell=bash disable=SC2034,SC2154

# The README's own command, where it has one.
command=$(awk '/^```sh/ { code = 1; next } /^```/ { code = 0 } code && /^docker[ -]compose up/ { sub(/ *#.*/, ""); print; exit }' README.md)
command=${command:-docker-compose up}
started=$SECONDS
quietly eval "${command/docker compose/docker-compose} --build --detach"
pass "a fresh clone: $command, built and ready in $((SECONDS - started)) s"

size() { docker image inspect -f '{{.Size}}' "$1" | awk '{ printf "%.1f MB", $1 / 1e6 }'; }
for image in "$AFTERCALL_IMAGE" "$STAND_IN_IMAGE"; do
  pass "image $image: $(size "$image"), on a base of $(size debian:trixie-slim)"
done

eventually 60 'try-it prints a line to paste' says try-it 'curl -X POST'
curl_line=$(logs try-it | grep -o 'curl -X POST .*' | tail -n 1)
call_id=$(grep -o '"call_id":"[^"]*"' <<<"$curl_line" | cut -d '"' -f 4)
stand_in=http://$STAND_IN_PUBLISH/stand-in
pages=$(logs try-it | sed -n 's/.*which shows what arrived: //p' | sort -u)
[ -n "$pages" ] || fail 'try-it says where the stand-in shows what arrived'
shows() { curl -sS "$1" | grep -F -- "$2" >/dev/null; }
# all_show ID: each vendor that is played has had the call.
all_show() {
  local page
  for page in $pages; do shows "$page" "$1" || return 1; done
}
paste() { bash -c "$1 -sS"; }

milliseconds() { echo $(($(date +%s%N) / 1000000)); }
started=$(milliseconds)
expect 'the printed line, pasted: stored' '"stored"' "$(paste "$curl_line")"
eventually 30 'every page of the stand-in shows the call' all_show "${call_id#cl_}"
pass "its call is on $(wc -w <<<"$pages") pages of the stand-in after $(($(milliseconds) - started)) ms"
expect 'pasted again: a duplicate' '"duplicate"' "$(paste "$curl_line")"
password=$(logs try-it | grep -o 'with the password .*' | tail -n 1 | cut -d ' ' -f 4)
page=$(curl -sS -u "any:$password" "http://$CONSOLE_PUBLISH/calls/evt_${call_id#cl_}")
expect "the console shows it under the printed password" "$call_id" "$page"

# Jobs are at the vendor when the worker is told to stop.
curl -sS -o /dev/null -d '{"fail": {"slow_ms": 5000}, "times": 3, "on": "upsert"}' "$stand_in/faults"
for n in 1 2 3; do
  # Other calls, each with a recording of its own.
  paste "${curl_line//${call_id#cl_}/restart$n}" >/dev/null
done
eventually 30 'the jobs are at the vendor' shows "$stand_in/received" restart1
started=$SECONDS
quietly docker-compose restart worker
restarted=$((SECONDS - started))
for n in 1 2 3; do
  eventually 60 "call $n is at the stand-in" all_show "restart$n"
  [ "$(curl -sS "$stand_in/calls" | grep -c '"external_call_id": "cl_restart'$n'"')" = 1 ] || fail "call $n is there once"
done
! says worker 'did not end in time' || fail 'the jobs in hand were ended before the worker'
pass "the worker restarted in mid-job (in $restarted s): three calls, each once"

quietly docker-compose down
quietly docker-compose up --detach
expect 'down and up again: the event is still known' '"duplicate"' "$(paste "$curl_line")"

# What the first run prints on purpose is in try-it's log alone.
docker-compose exec -T receiver cut -d = -f 2 /var/lib/first-run/settings >"$scratch/made"
printed() { logs try-it | grep -Ff "$scratch/made" >/dev/null; }
eventually 60 'the secrets that were made are those that are printed' printed
logs make-secrets postgres receiver worker stand-in >"$scratch/logs"
! grep -qFf "$scratch/made" "$scratch/logs" || fail 'a secret is in a log'
pass 'its secrets are in no log but where they are printed for you'

# Production in the same folder, and the first run again, without a word in between.
export POSTGRES_PASSWORD=another-password WEBHOOK_TOKEN=another-long-secret
COMPOSE_FILE=docker-compose.yml quietly docker-compose up --detach
COMPOSE_FILE=docker-compose.yml eventually 120 'the receiver is healthy' healthy receiver 1
pass 'production, started where the first run is up: healthy, with a database of its own'
unset POSTGRES_PASSWORD WEBHOOK_TOKEN
quietly docker-compose up --detach
eventually 120 'the receiver is healthy' healthy receiver 1
expect 'and the first run again: the event is still known' '"duplicate"' "$(paste "$curl_line")"
quietly docker-compose down --volumes --timeout 5
