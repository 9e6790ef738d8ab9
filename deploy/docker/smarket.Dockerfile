# The service's images: --target api and --target worker share one build.
#
#   docker build -f deploy/docker/smarket.Dockerfile --target worker --build-arg VERSION=1.2.3 .
#
# docs/DEPLOYMENT.md says how to pin the base images by digest: --build-arg GO_IMAGE=golang:1.26-bookworm@sha256:…
ARG GO_IMAGE=golang:1.26-bookworm
ARG RUN_IMAGE=debian:bookworm-slim

FROM ${GO_IMAGE} AS build
WORKDIR /src
# Without cgo nothing of the system is linked, so that the API's image needs no system.
ENV CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"

# The API's root. It has /tmp although a tmpfs is mounted there: where the folder is missing the engine makes it, and from the
# second start on gives the tmpfs that folder's mode, so that nobody but root could write to it. A new volume takes after /data.
# 10001 is nobody else's on the host.
RUN install -d -m 0755 /out/root /out/root/etc /out/root/etc/ssl /out/root/etc/ssl/certs && \
    install -d -m 1777 /out/root/tmp && \
    install -d -m 0700 /out/volume/data && \
    cp /etc/ssl/certs/ca-certificates.crt /out/root/etc/ssl/certs/ && \
    printf 'smarket:x:10001:10001::/data:/sbin/nologin\n' > /out/root/etc/passwd && \
    printf 'smarket:x:10001:\n' > /out/root/etc/group

COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    mkdir -p /out/plugins && \
    go build -tags nodynamic -ldflags "-s -w -X main.version=${VERSION}" -o /out/smarket ./cmd/smarket && \
    for plugin in cmd/smarket-provider-*; do \
      go build -tags nodynamic -ldflags "-s -w -X main.version=${VERSION}" -o "/out/plugins/${plugin#cmd/}" "./${plugin}" || exit 1; \
    done && \
    cd /out/plugins && sha256sum smarket-provider-* > plugins.sum

# The API runs no plugin and no other program: one static binary and the certificates, without a shell.
FROM scratch AS api
COPY --from=build /out/root/ /
COPY --from=build --chown=10001:10001 /out/volume/ /
COPY --from=build /out/smarket /usr/local/bin/smarket
ENV PATH=/usr/local/bin DATA_DIR=/data HTTP_ADDR=:8080 XDG_CACHE_HOME=/tmp
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["/usr/local/bin/smarket", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/smarket"]
CMD ["serve", "--role=api"]
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Mercado Esperto API" \
      org.opencontainers.image.description="GraphQL API of Mercado Esperto" \
      org.opencontainers.image.source="https://github.com/mercadoesperto/smarket" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The worker runs the plugins, and the plugin offline runs Tesseract.
FROM ${RUN_IMAGE} AS worker
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates tesseract-ocr tesseract-ocr-por && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log && \
    groupadd --gid 10001 smarket && \
    useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin smarket && \
    install -d -o smarket -g smarket -m 0700 /data
COPY --from=build /out/smarket /usr/local/bin/smarket
COPY --from=build /out/plugins /usr/local/bin/plugins
ENV DATA_DIR=/data HTTP_ADDR=:8080 XDG_CACHE_HOME=/tmp
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["/usr/local/bin/smarket", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/smarket"]
CMD ["serve", "--role=worker"]
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Mercado Esperto worker" \
      org.opencontainers.image.description="Reads invoices, with the provider plugins and Tesseract" \
      org.opencontainers.image.source="https://github.com/mercadoesperto/smarket" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
