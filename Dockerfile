# The production image, and the stand-in's for the first run:
#
#   docker build -t aftercall .
#   docker build -t aftercall-stand-in --target stand-in .

FROM rust:1-slim-trixie AS dependencies
WORKDIR /build
# rust-toolchain.toml stays outside: rustup would download a toolchain beside the image's own.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY crates/engine/Cargo.toml crates/engine/Cargo.toml
COPY crates/hubspot-api/Cargo.toml crates/hubspot-api/Cargo.toml
COPY crates/local-postgres/Cargo.toml crates/local-postgres/Cargo.toml
COPY crates/stand-in/Cargo.toml crates/stand-in/Cargo.toml
COPY crates/xtask/Cargo.toml crates/xtask/Cargo.toml
COPY crates/zendesk-api/Cargo.toml crates/zendesk-api/Cargo.toml
COPY examples/acme/Cargo.toml examples/acme/Cargo.toml
# Empty programs in the places that the manifests name, so that a layer of its own holds the dependencies: it is built
# anew when Cargo.lock or a manifest changes, not with the source.
RUN for file in src/main.rs crates/stand-in/src/main.rs crates/xtask/src/main.rs examples/acme/src/main.rs \
        $(awk -F '"' '/^\[/ { table = $1 } \
            table == "[[bench]]" && /^name/ { print "benches/" $2 ".rs" } \
            table == "[[test]]" && /^path/ { print $2 }' Cargo.toml); do \
        mkdir -p "${file%/*}" && echo 'fn main() {}' > "$file"; \
    done \
    && for crate in engine hubspot-api local-postgres stand-in zendesk-api; do \
        mkdir -p "crates/$crate/src" && touch "crates/$crate/src/lib.rs"; \
    done
RUN cargo build --locked --release --no-default-features --features console

FROM dependencies AS build
COPY .sqlx .sqlx
COPY .env.example .env.example
COPY migrations migrations
COPY templates templates
COPY crates/engine crates/engine
COPY crates/hubspot-api crates/hubspot-api
COPY crates/zendesk-api crates/zendesk-api
COPY src src
# Cargo goes by the time of change, and the empty programs are younger than the source.
RUN touch src/main.rs crates/*/src/lib.rs && cargo build --locked --release --no-default-features --features console

FROM dependencies AS stand-in-build
RUN cargo build --locked --release --package stand-in
COPY crates/stand-in/src crates/stand-in/src
RUN touch crates/stand-in/src/main.rs crates/stand-in/src/lib.rs && cargo build --locked --release --package stand-in

FROM debian:trixie-slim AS base
# The certificate authorities behind which the vendors are; the package would bring OpenSSL along.
COPY --from=dependencies /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
STOPSIGNAL SIGTERM

FROM base AS stand-in
COPY docker/make-secrets docker/try-it /usr/local/bin/
COPY --from=stand-in-build /build/target/release/stand-in /usr/local/bin/stand-in
# Where a volume takes its owner from.
RUN install -d -o 10001 -g 10001 -m 700 /var/lib/stand-in /var/lib/first-run
USER 10001:10001
ENV STAND_IN_LISTEN=0.0.0.0:8090
EXPOSE 8090
LABEL org.opencontainers.image.title="Aftercall's stand-in" \
      org.opencontainers.image.description="Plays HubSpot's and Zendesk's HTTP APIs. For development only." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
ENTRYPOINT ["stand-in"]

# The last stage is what is built where none is named.
FROM base AS aftercall
COPY --from=build /build/target/release/aftercall /usr/local/bin/aftercall
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
# Inside a container loopback is reached by nobody; which of these is published is docker-compose.yml's business.
ENV LISTEN_ADDR=0.0.0.0:8080 ADMIN_ADDR=0.0.0.0:8081
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["aftercall", "health"]
LABEL org.opencontainers.image.title="Aftercall" \
      org.opencontainers.image.description="Receives the after-call webhook of a telephone platform and logs every call in the CRM, once." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
ENTRYPOINT ["aftercall"]
