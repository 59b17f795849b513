# An operator's day by the README's own commands: set up, secrets in files, a rotation and an upgrade while calls come in,
# a backup, a lost volume, a restore. Sourced by .ci/compose.
# shellcheck shell=bash disable=SC2034,SC2154

unset COMPOSE_FILE COMPOSE_PROFILES POSTGRES_PASSWORD WEBHOOK_TOKEN WEBHOOK_ALLOWED_IPS TRUSTED_PROXIES DOMAIN TLS SECRETS_FOLDER
export WEBHOOK_PUBLISH=127.0.0.1:18080-18082 CONSOLE_PUBLISH=127.0.0.1:18083-18085
day=$scratch/day domain=calls.example.test
mkdir "$day"
git ls-files -z | xargs -0 cp --parents -t "$day"
cd "$day"

# readme TEXT: the first commands after the line that holds it.
readme() {
  awk -v text="$1" 'index($0, text) { found = 1 } found && /^ *```sh/ { code = 1; next } code && /^ *```/ { exit } code' README.md |
    sed 's/^  //'
}

# by_the_readme TEXT: runs them.
by_the_readme() {
  local commands
  commands=$(readme "$1")
  [ -n "$commands" ] || fail "the README has commands after '$1'"
  quietly eval "$commands"
}

quietly docker run --rm -u "$(id -u)" -v "$PWD:/here" -w /here "$AFTERCALL_IMAGE" init --domain "$domain"
old=$(sed -n 's/^WEBHOOK_TOKEN=//p' .env)
# No job reaches anybody: the address is nobody's.
cat >>.env <<ENV
COMPOSE_PROFILES=tls
TLS=internal
RECEIVERS=3
WEBHOOK_ALLOWED_IPS=$NETWORK.1,127.0.0.1
HUBSPOT_TOKEN=ours
HUBSPOT_BASE_URL=http://127.0.0.1:9
ZENDESK_CLIENT_SECRET=ours
ZENDESK_CLIENT_ID=ours
ZENDESK_BASE_URL=http://127.0.0.1:9
ENV
[ -z "$postgres_helper" ] || sed -i "/^  postgres:/r $postgres_helper" docker-compose.secrets.yml
by_the_readme 'prints what to paste'
eventually 300 'three receivers are healthy' healthy receiver 3
by_the_readme '**Secrets in files**'
! grep -q "$old" .env || fail 'the secret is still in .env'
eventually 300 'three receivers are healthy' healthy receiver 3
eventually 120 'the worker is healthy' healthy worker 1
docker-compose exec -T caddy cat /data/caddy/pki/authorities/local/root.crt >"$scratch/day.crt"

# send TOKEN ID: the status; as the platform does, it tries again where a busy machine says 503.
send() {
  local status
  for _ in 1 2 3 4 5 6; do
    status=$(curl -sS -m 10 -o /dev/null -w '%{http_code}' --cacert "$scratch/day.crt" \
      --resolve "$domain:${HTTPS_PUBLISH#*:}:127.0.0.1" -X POST "https://$domain:${HTTPS_PUBLISH#*:}/webhooks/after-call" \
      -H "X-Webhook-Token: $1" -d "$(event "$2")" 2>/dev/null) || true
    [ "$status" = 503 ] || break
  done
  echo "$status"
}
# The platform: five calls a second, under the secret that is set there, until told to stop.
platform() {
  local n secret
  for n in $(seq 1 2000); do
    secret=$(cat "$scratch/platform" 2>/dev/null) || break
    send "$secret" "$1-$n" >>"$scratch/$1" &
    sleep 0.2
  done
  wait
}
# none_refused WHAT: the platform stops, and all of its calls were stored.
none_refused() {
  rm "$scratch/platform"
  wait "$calls"
  [ "$(sort -u "$scratch/$1")" = 200 ] || fail "$1: $(sort "$scratch/$1" | uniq -c | tr -s '\n ' ' ')"
  pass "$1 while calls come in: all $(wc -l <"$scratch/$1") of them are stored"
}
answered() {
  local port
  for port in 18080 18081 18082; do
    [ "$(WEBHOOK_PUBLISH=127.0.0.1:$port WEBHOOK_TOKEN=$1 deliver rotated | cut -d ' ' -f 1)" = "$2" ] || return 1
  done
}

eventually 120 'a call is stored by HTTPS' [ "$(send "$old" first)" = 200 ]
pass "by the README: init, three receivers, HTTPS, secrets in files"

echo "$old" >"$scratch/platform"
platform rotation &
calls=$!
by_the_readme '**To change the secret**'
new=$(cat secrets/webhook-token)
eventually 120 'every receiver admits the new secret' answered "$new" 200
answered "$old" 200 || fail 'every receiver admits the old secret, too'
echo "$new" >"$scratch/platform.new" && mv "$scratch/platform.new" "$scratch/platform"
sleep 2 # calls under the old secret are under way
by_the_readme 'Change it on the platform.'
eventually 120 'every receiver refuses the old secret' answered "$old" 401
none_refused rotation
[ "$(docker-compose ps -q receiver | xargs docker inspect -f '{{.RestartCount}}' | sort -u)" = 0 ] || fail 'none was restarted'

# Another image of the same name is what an upgrade builds.
built=$(docker build -q -t "$AFTERCALL_IMAGE" - <<<"FROM $AFTERCALL_IMAGE
LABEL upgraded=yes")
echo "$new" >"$scratch/platform"
platform upgrade &
calls=$!
quietly "$(readme '**Upgrade**' | tail -n 1)"
none_refused upgrade
[ "$(docker-compose ps -q receiver worker | xargs docker inspect -f '{{.Image}} {{.State.Health.Status}}' | sort | uniq -c | tr -s ' ')" = \
  " 4 $built healthy" ] || fail 'three receivers and a worker of the new image run'
pass 'the upgrade replaced three receivers and a worker, one after the other'

sql() { docker-compose exec -T postgres psql -U aftercall -d aftercall -Atc "$1" 2>&1; }
expect 'the program is no superuser' f "$(sql "select rolsuper from pg_roles where rolname = 'aftercall'")"
sql "select '+14085550199'::int" >/dev/null || true
sql "create table t (a text check (a = '')); insert into t values ('+14085550199')" >/dev/null || true
sql "drop table if exists t" >/dev/null
expect 'a failed statement is told to who made it' 'out of range' "$(sql "select '+14085550199'::int" || true)"
! says postgres 4085550199 || fail "a number is in Postgres' log"
pass "and its values are not in Postgres' log"

stored=$(sql 'select count(*) from call_event')
by_the_readme '**Back up**'
quietly docker-compose down --volumes
by_the_readme '**Restore**'
eventually 300 'three receivers are healthy' healthy receiver 3
[ "$(sql 'select count(*) from call_event')" = "$stored" ] || fail "all $stored events are there"
expect 'backed up, the volume lost, restored: an event from before is known' '"duplicate"' \
  "$(WEBHOOK_TOKEN=$new deliver first)"
from_file=$(event file | docker-compose exec -T receiver aftercall send --file -)
expect 'a file is sent from within a receiver' '<-- 200 stored' "$from_file"
quietly docker-compose down --volumes --timeout 5
cd - >/dev/null
