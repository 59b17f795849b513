# docker-compose.secrets.yml: no secret where people look. Sourced by .ci/compose.
# shellcheck shell=bash disable=SC2034,SC2154

export COMPOSE_FILE=docker-compose.yml:docker-compose.secrets.yml SECRETS_FOLDER=$scratch/secrets
token=$WEBHOOK_TOKEN
unset WEBHOOK_TOKEN POSTGRES_PASSWORD
install -d -m 700 "$SECRETS_FOLDER"
for name in $(sed -n 's/.*secrets}\///p' docker-compose.secrets.yml); do
  random >"$SECRETS_FOLDER/$name"
  chmod 444 "$SECRETS_FOLDER/$name"
done
printf %s "$token" >"$scratch/secrets/webhook-token.new"
mv "$scratch/secrets/webhook-token.new" "$SECRETS_FOLDER/webhook-token"
chmod 444 "$SECRETS_FOLDER/webhook-token"

# Docker's own image reads POSTGRES_PASSWORD_FILE; a local one of the same name may not, and is helped.
postgres_helper=
if ! docker run --rm --entrypoint grep postgres:17-trixie -q 'POSTGRES_PASSWORD_FILE\|file_env' \
  /usr/local/bin/docker-entrypoint.sh; then
  postgres_helper=$scratch/postgres-helper
  cat >"$postgres_helper" <<'YAML'
    entrypoint: ["sh", "-c", 'export POSTGRES_PASSWORD=$$(cat "$$POSTGRES_PASSWORD_FILE") && exec docker-entrypoint.sh "$$@"', "postgres"]
YAML
  { printf 'services:\n  postgres:\n' && cat "$postgres_helper"; } >"$scratch/postgres.yml"
  COMPOSE_FILE=$COMPOSE_FILE:$scratch/postgres.yml
fi

# The job that knows no vendor; the address is nobody's.
export JOBS=report-call REPORT_URL=http://127.0.0.1:9
quietly docker-compose up --detach
eventually 120 'the receiver is healthy' healthy receiver 1
eventually 120 'the worker is healthy' healthy worker 1
expect 'secrets from files: a call is stored' '"stored"' "$(WEBHOOK_TOKEN=$token deliver from-files)"

docker-compose ps -q | xargs docker inspect >"$scratch/inspected"
logs >"$scratch/logs"
# In an environment that has them, too.
WEBHOOK_TOKEN=$token CONSOLE_PASSWORD=$(cat "$SECRETS_FOLDER/console-password") \
  docker run --rm -e WEBHOOK_TOKEN -e CONSOLE_PASSWORD "$AFTERCALL_IMAGE" work --help >"$scratch/help"
for name in "$SECRETS_FOLDER"/*; do
  ! grep -qF -f "$name" "$scratch/inspected" "$scratch/logs" "$scratch/help" || fail "${name##*/} shows"
done
pass 'no secret in any log, in --help or in docker inspect'
expect 'the other commands run beside it: the doctor finds the database well' '✓ database: ' \
  "$(docker-compose run --rm tools doctor 2>&1 || true)"
unset JOBS REPORT_URL
quietly docker-compose down --volumes --timeout 5
