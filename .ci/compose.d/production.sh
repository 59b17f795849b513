# docker-compose.yml alone: what is missing is told, and replicas start together. Sourced by .ci/compose.
# shellcheck shell=bash disable=SC2034,SC2154

export COMPOSE_FILE=docker-compose.yml
up() { quietly docker-compose up --detach "$@"; }

quietly docker run --rm --user "$(id -u)" --volume "$scratch:/here" --workdir /here "$AFTERCALL_IMAGE" \
  init --domain calls.example.test
config=$(unset COMPOSE_FILE && docker-compose --env-file "$scratch/.env" config)
! grep -q stand-in <<<"$config" || fail 'the .env that init writes leaves the first run out'
grep -qF "$(grep ^WEBHOOK_TOKEN= "$scratch/.env" | cut -d = -f 2)" <<<"$config" || fail 'its token is handed on'
pass 'the .env that init writes, in a container, is production, and its settings are handed on'

# Settings have their variable beside their flag; secrets are a list at the end.
help=$(docker run --rm "$AFTERCALL_IMAGE" --help)
for name in $(grep -oE '\[env: [A-Z_]+' <<<"$help" | cut -d ' ' -f 2) $(grep -oE '^  [A-Z]+_[A-Z_]+ ' <<<"$help"); do
  case $name in LISTEN_ADDR | ADMIN_ADDR) continue ;; esac
  grep -q "^ *$name:" docker-compose.yml || fail "docker-compose.yml hands $name on"
done
pass 'every setting of --help is handed on by docker-compose.yml'

up
eventually 60 'the receiver says what it lacks' says receiver 'set WEBHOOK_TOKEN'
eventually 60 'postgres says what it lacks' says postgres POSTGRES_PASSWORD
pass 'without secrets: the receiver asks for WEBHOOK_TOKEN, Postgres for POSTGRES_PASSWORD'

# With what would break a URL in it.
POSTGRES_PASSWORD="$(random)/@:%41?#"
WEBHOOK_TOKEN=$(random)
# What is published comes from Docker's gateway.
export POSTGRES_PASSWORD WEBHOOK_TOKEN WEBHOOK_ALLOWED_IPS=$NETWORK.1

# refuses WHAT SAYS: the worker does, while the receiver takes calls.
refuses() {
  up
  eventually 60 "$1: the worker says '$2'" says worker "$2"
  eventually 90 'the receiver is healthy' healthy receiver 1
  expect "$1: the worker refuses to start ($2 …), the receiver stores" '"stored"' "$(deliver "refuses-$(random)")"
  ! healthy worker 1 || fail "$1: the worker is healthy all the same"
}
refuses 'without any vendor' 'is not set: set it (or take '
# From here on the job that knows no vendor, which a fork keeps.
export JOBS=report-call
refuses 'no address' 'REPORT_URL is not set: set it (or take report-call out of JOBS)'
export REPORT_URL=http://127.0.0.1:9
REPORT_SECRET='' refuses 'an empty secret' 'REPORT_SECRET is empty'
quietly docker-compose down --volumes --timeout 5

# No job is started here, so nothing is sent; the address is nobody's.
WEBHOOK_PUBLISH=127.0.0.1:18080-18082 CONSOLE_PUBLISH=127.0.0.1:18083-18085 up --scale receiver=3 --scale worker=3
eventually 120 'three receivers are healthy' healthy receiver 3
eventually 120 'three workers are healthy' healthy worker 3
[ "$(docker-compose ps -q receiver worker | xargs docker inspect -f '{{.RestartCount}}' | sort -u)" = 0 ] ||
  fail 'all of them at the first try'
pass 'three receivers and three workers, started at once on an empty database: all healthy, none restarted'
for service in receiver worker; do
  # One stream, since two of them arrive in any order.
  inside=$(docker-compose exec -T --index 1 "$service" sh -c 'exec 2>&1; id -u; grep -E "^(CapEff|NoNewPrivs)" /proc/1/status; echo >/usr/local/bin/x' 2>&1 | tr -s '\n\t ' ' ' || true)
  expect "the $service is user 10001 without capabilities" '10001 CapEff: 0000000000000000 NoNewPrivs: 1' "$inside"
  expect "the $service can't write to its image" 'Read-only file system' "$inside"
done
unset REPORT_URL JOBS
quietly docker-compose down --volumes --timeout 5
