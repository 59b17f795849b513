# The profile `tls`, with Caddy's own authority: HTTPS, and whose address the guard sees. Sourced by .ci/compose.
# shellcheck shell=bash disable=SC2034,SC2154

export COMPOSE_FILE=docker-compose.yml COMPOSE_PROFILES=tls
quietly docker-compose up --detach caddy
eventually 60 'caddy says what it lacks' says caddy 'DOMAIN: is not set'
pass 'Caddy without a DOMAIN says so'

# The platform has one address, somebody else another.
platform=$NETWORK.50 stranger=$NETWORK.51 domain=calls.example.test
POSTGRES_PASSWORD=$(random)
WEBHOOK_TOKEN=$(random)
export POSTGRES_PASSWORD WEBHOOK_TOKEN WEBHOOK_ALLOWED_IPS=$platform DOMAIN=$domain TLS=internal
quietly docker-compose up --detach postgres receiver caddy
eventually 120 'the receiver is healthy' healthy receiver 1
root=/data/caddy/pki/authorities/local/root.crt
eventually 60 'Caddy has made its authority' docker-compose exec -T caddy cat "$root"
docker-compose exec -T caddy cat "$root" >"$scratch/root.crt"
chmod 444 "$scratch/root.crt"

docker build -q -t aftercall-ci-client - >/dev/null <<'DOCKER'
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl openssl && rm -rf /var/lib/apt/lists/*
DOCKER
# as ADDRESS COMMAND…: a machine of that address runs it.
as() {
  docker run --rm -i --network "${COMPOSE_PROJECT_NAME}_default" --ip "$1" -v "$scratch/root.crt:/root.crt:ro" \
    --add-host "$domain:$NETWORK.2" aftercall-ci-client "${@:2}"
}
# post ADDRESS URL [CURL'S OPTIONS]: the status, the version of HTTP, and what the receiver says.
post() {
  as "$1" curl -sS -m 10 -o - -w ' %{http_code} HTTP/%{http_version}' --cacert /root.crt -X POST "$2" \
    -H "X-Webhook-Token: $WEBHOOK_TOKEN" -d "$(event tls)" "${@:3}" 2>&1 || true
}
https=https://$domain/webhooks/after-call direct=http://receiver:8080/webhooks/after-call

eventually 60 'Caddy serves the domain' as "$platform" curl -sSf --cacert /root.crt "https://$domain/health/live"
answer=$(post "$platform" "$https")
expect 'by HTTPS: the call is stored' '"stored"' "$answer"
expect 'by HTTPS: over HTTP/2' ' 200 HTTP/2' "$answer"
tls() { as "$platform" sh -c "openssl s_client -connect $domain:443 -servername $domain -CAfile /root.crt \
  -cipher DEFAULT@SECLEVEL=0 $1 </dev/null 2>&1" || true; }
expect 'TLS 1.1 is refused by the server' 'alert protocol version' "$(tls -tls1_1)"
expect 'TLS 1.2 is accepted' 'Verify return code: 0' "$(tls -tls1_2)"

expect "another client's address, by HTTPS: 403" ' 403 ' "$(post "$stranger" "$https")"
eventually 20 "the log names $stranger" says receiver "$stranger"
pass "the receiver's log names that client, not Caddy"
expect 'with a forged X-Forwarded-For: 403' ' 403 ' "$(post "$stranger" "$https" -H "X-Forwarded-For: $platform")"
expect 'past Caddy: 403' ' 403 ' "$(post "$stranger" "$direct")"
expect 'past Caddy with a forged X-Forwarded-For: 403' ' 403 ' \
  "$(post "$stranger" "$direct" -H "X-Forwarded-For: $platform")"
expect "by the published port with a forged X-Forwarded-For: 403" '403' "$(deliver tls -H "X-Forwarded-For: $platform")"

# reaches NETWORK: a machine there can open Postgres' port.
postgres=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(docker-compose ps -q postgres)")
reaches() {
  docker run --rm --network "${COMPOSE_PROJECT_NAME}_$1" aftercall-ci-client timeout 5 bash -c "</dev/tcp/$postgres/5432" \
    2>/dev/null
}
reaches database || fail 'Postgres can be reached from its own network'
! reaches default || fail 'Postgres is out of reach for Caddy'
pass 'from where Caddy is, Postgres is out of reach'

# Caddy has only its log to say that a receiver is down. Once as it is, and once with all that it can log.
sed -e 's/^\tadmin off/&\n\tdebug/' -e 's/^\ttls {\$TLS}/\tlog\n&/' Caddyfile >"$scratch/Caddyfile.loud"
chmod 644 "$scratch/Caddyfile.loud"
chmod 755 "$scratch"
cat >"$scratch/loud.yml" <<YAML
services:
  caddy:
    volumes: ["$scratch/Caddyfile.loud:/etc/caddy/Caddyfile:ro"]
YAML
quietly docker-compose stop receiver
for files in docker-compose.yml "docker-compose.yml:$scratch/loud.yml"; do
  COMPOSE_FILE=$files quietly docker-compose up --detach --no-deps caddy
  eventually 60 'Caddy serves the domain' as "$platform" openssl s_client -connect "$domain:443" -servername "$domain" -brief
  expect 'no receiver, by HTTPS: 502' ' 502 ' "$(post "$platform" "$https" -H 'X-Webhook-Signature: 5160a7')"
  eventually 20 'Caddy logs it' says caddy http.log.error
  logs caddy >>"$scratch/caddy.log"
done
grep -q http.log.access "$scratch/caddy.log" || fail 'Caddy logs accesses where it is told to'
! grep -q -e "$WEBHOOK_TOKEN" -e 5160a7 "$scratch/caddy.log" || fail "a header is in Caddy's log"
pass "neither token nor signature is in Caddy's log, at no level"

# A proxy or tunnel on the host, instead of Caddy.
export TRUSTED_PROXIES=$NETWORK.1
quietly docker-compose up --detach receiver
eventually 60 'the receiver is healthy' healthy receiver 1
expect 'a trusted proxy on the host: the address that it forwards for is admitted' '"stored"' \
  "$(deliver proxied -H "X-Forwarded-For: $platform")"
expect 'a trusted proxy on the host: another address is not' '403' "$(deliver proxied -H "X-Forwarded-For: $stranger")"
quietly docker-compose down --volumes --timeout 5
