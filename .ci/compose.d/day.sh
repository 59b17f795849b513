# An operator's day by the documentation's own commands: set up, secrets in files, a rotation and an upgrade while calls come in,
# a backup, a lost volume, a restore. Sourced by .ci/compose.
# shellcheck shell=bash disable=SC2034,SC2154

unset COMPOSE_FILE COMPOSE_PROFILES POSTGRES_PASSWORD WEBHOOK_TOKEN WEBHOOK_ALLOWED_IPS TRUSTED_PROXIES DOMAIN TLS SECRETS_FOLDER
export WEBHOOK_PUBLISH=127.0.0.1:18080-18082 CONSOLE_PUBLISH=127.0.0.1:18083-18085
day=$scratch/day fork=$scratch/fork domain=calls.example.test
# As the files are here, in a repository of their own, which an upgrade is pulled from.
commit() { git -C "$fork" add --all --force && git -C "$fork" -c user.name=ci -c user.email=ci@example.test commit --quiet -m "$1"; }
git init --quiet "$fork"
git ls-files -z | xargs -0 cp --parents -t "$fork"
commit 'As it is'
git clone --quiet "$fork" "$day"
cd "$day"

# readme TEXT: the first commands after the line of the documentation that holds it.
readme() {
  awk -v text="$1" 'index($0, text) { found = 1 } found && /^ *```sh/ { code = 1; next } code && /^ *```/ { exit } code' docs/go-live.md docs/operate.md |
    sed 's/^  //'
}

# by_the_readme TEXT: runs them, and each has to succeed.
by_the_readme() {
  local commands
  commands=$(readme "$1")
  [ -n "$commands" ] || fail "the documentation has commands after '$1'"
  quietly bash -ec "$commands"
}

# Without Rust, in a sentence. The image has a name of its own here.
init=$(grep -o '`docker build -t aftercall .*--domain …`' docs/go-live.md | tr -d '\140' || true)
[ -n "$init" ] || fail 'the documentation says how to set it up without Rust'
init=${init// aftercall / $AFTERCALL_IMAGE }
quietly eval "${init/…/$domain}"
old=$(sed -n 's/^WEBHOOK_TOKEN=//p' .env)
# Requests of this host come from Docker's gateway. No job reaches anybody: the address is nobody's.
cat >>.env <<ENV
COMPOSE_PROFILES=tls
TLS=internal
RECEIVERS=3
WEBHOOK_ALLOWED_IPS=$NETWORK.1,127.0.0.1
JOBS=report-call
REPORT_URL=http://127.0.0.1:9
ENV
# A file that is empty keeps its process from starting, so each secret of docker-compose.secrets.yml has a value.
for name in $(sed -n 's/^ *\([A-Z_]*\)_FILE:.*/\1/p' docker-compose.secrets.yml | sort -u); do
  grep -q "^$name=." .env || echo "$name=ours" >>.env
done
[ -z "$postgres_helper" ] || sed -i "/^  postgres:/r $postgres_helper" docker-compose.secrets.yml
by_the_readme 'prints what to paste'
eventually 300 'three receivers are healthy' healthy receiver 3

root=/data/caddy/pki/authorities/local/root.crt
eventually 60 'Caddy has made its authority' docker-compose exec -T caddy cat "$root"
docker-compose exec -T caddy cat "$root" >"$scratch/day.crt"
# send TOKEN ID: the status, 000 where there is none. It tries once.
send() {
  curl -sS -m 10 -o /dev/null -w '%{http_code}\n' --cacert "$scratch/day.crt" --resolve "$domain:${HTTPS_PUBLISH#*:}:127.0.0.1" \
    -X POST "https://$domain:${HTTPS_PUBLISH#*:}/webhooks/after-call" -H "X-Webhook-Token: $1" -d "$(event "$2")" 2>/dev/null || true
}
stored() { [ "$(send "$1" "$2")" = 200 ]; }
eventually 120 'a call is stored by HTTPS' stored "$old" first
pass 'by the documentation: a clone, init, three receivers behind HTTPS: a call is stored'

by_the_readme '**Secrets in files**'
! grep -qF "$old" .env || fail 'the secret is still in .env'
eventually 300 'three receivers are healthy' healthy receiver 3
eventually 120 'the worker is healthy' healthy worker 1
docker-compose ps -q | xargs docker inspect >"$scratch/inspected"
! grep -qF -e "$old" -e "$(cat secrets/postgres-password)" -e "$(cat secrets/console-password)" "$scratch/inspected" ||
  fail 'docker inspect shows a secret'
eventually 120 'a call is stored by HTTPS' stored "$old" files
pass 'by the documentation: its secrets moved into files, the platform still knows the right one'

# The platform: five calls a second, under the secret that is set there, until it is told to stop.
platform() {
  local n=0 secret in_use=
  while secret=$(cat "$scratch/platform" 2>/dev/null); do
    if [ "$secret" != "$in_use" ]; then
      # Until those that carry the one before have their answer.
      wait
      in_use=$secret
      echo "$secret" >"$scratch/in-use"
    fi
    n=$((n + 1))
    send "$secret" "$1-$n" >>"$scratch/$1" &
    sleep 0.2
  done
  wait
}
sql() { docker-compose exec -T postgres psql -U aftercall -d aftercall -Atc "$1" 2>&1; }
# none_refused WHAT: the platform stops; all of its calls were answered 200, and all are in the table.
none_refused() {
  rm "$scratch/platform"
  wait "$calls"
  [ "$(sort -u "$scratch/$1")" = 200 ] || fail "$1: $(sort "$scratch/$1" | uniq -c | tr -s '\n ' ' ')"
  local sent
  sent=$(wc -l <"$scratch/$1")
  expect "$1 while calls come in: none of $sent is refused, all are stored" " $sent " \
    " $(sql "select count(*) from call_event where event_id like 'evt_$1-%'") "
}
# answered TOKEN STATUS: every receiver says so.
answered() {
  local port
  for port in 18080 18081 18082; do
    [ "$(WEBHOOK_PUBLISH=127.0.0.1:$port WEBHOOK_TOKEN=$1 deliver first | cut -d ' ' -f 1)" = "$2" ] || return 1
  done
}

echo "$old" >"$scratch/platform"
platform rotation &
calls=$!
by_the_readme 'By hand, admit both'
new=$(cat secrets/webhook-token)
eventually 120 'every receiver admits the new secret' answered "$new" 200
eventually 120 'every receiver admits the old secret, too' answered "$old" 200
# Put in its place whole, since it is read meanwhile.
echo "$new" >"$scratch/platform.new" && mv "$scratch/platform.new" "$scratch/platform"
eventually 60 'the platform uses the new secret alone' grep -qF "$new" "$scratch/in-use"
by_the_readme 'Change it on the platform.'
eventually 120 'every receiver refuses the old secret' answered "$old" 401
none_refused rotation
[ "$(docker-compose ps -q receiver | xargs docker inspect -f '{{.RestartCount}}' | sort -u)" = 0 ] || fail 'none was restarted'

# The command that does the same by the platform's API gets as far as it can without one.
rotate=$(readme 'whose mounts are read-only')
[ -n "$rotate" ] || fail 'the documentation has the command that rotates'
! bash -ec "$rotate" >"$scratch/rotate" 2>&1 || fail "a rotation without the platform's API fails: $(cat "$scratch/rotate")"
expect 'by the documentation: the command that rotates says what it lacks' 'PLATFORM_API_URL is not set' "$(cat "$scratch/rotate")"

# A new version, by which nothing needs to be compiled.
echo 'LABEL upgraded=yes' >>"$fork/Dockerfile"
commit 'A new version'
before=$(docker-compose ps -q receiver worker)
echo "$new" >"$scratch/platform"
platform upgrade &
calls=$!
by_the_readme '**Upgrade**'
none_refused upgrade
after=$(docker-compose ps -q receiver worker)
[ "$(xargs docker inspect -f '{{index .Config.Labels "upgraded"}} {{.State.Health.Status}}' <<<"$after" | sort | uniq -c | tr -s ' ')" = \
  ' 4 yes healthy' ] || fail 'three receivers and a worker of the new image run'
! grep -qF "$before" <<<"$after" || fail 'a container is the old one'
pass 'by the documentation: the upgrade replaced three receivers and a worker'

expect 'the program is no superuser' f "$(sql "select rolsuper from pg_roles where rolname = 'aftercall'")"
sql "create table t (a text check (a = '')); insert into t values ('+14085550199')" >/dev/null || true
sql "drop table if exists t" >/dev/null
expect 'a failed statement is told to who made it' 'out of range' "$(sql "select '+14085550199'::int" || true)"
! says postgres 4085550199 || fail "a number is in Postgres' log"
pass "and its values are not in Postgres' log"

count=$(sql 'select count(*) from call')
by_the_readme '**Back up**'
quietly docker-compose down --volumes
! docker volume inspect "${COMPOSE_PROJECT_NAME}_postgres" >/dev/null 2>&1 || fail 'the volume is gone'
by_the_readme '**Restore**'
eventually 300 'three receivers are healthy' healthy receiver 3
expect "backed up, the volume lost, restored: all $count calls are there" " $count " " $(sql 'select count(*) from call') "
expect 'and one that is sent again is a duplicate' '"duplicate"' "$(WEBHOOK_PUBLISH=${WEBHOOK_PUBLISH%-*} WEBHOOK_TOKEN=$new deliver first)"
expect 'a file is sent from within a receiver' '<-- 200 stored' \
  "$(event file | docker-compose exec -T receiver aftercall send --file - 2>&1 || true)"
quietly docker-compose down --volumes --timeout 5
cd - >/dev/null
