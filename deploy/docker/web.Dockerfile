# The web page: built with Node.js, served by nginx.
#
#   docker build -f deploy/docker/web.Dockerfile .
ARG NODE_IMAGE=node:20-bookworm-slim
ARG NGINX_IMAGE=nginx:stable-bookworm

FROM ${NODE_IMAGE} AS build
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY graph/*.graphqls /src/graph/
COPY web/ ./
# The compressed files beside the others are what nginx sends (gzip_static).
RUN mkdir dist && npm run --silent build && \
    find dist -type f \( -name '*.html' -o -name '*.js' -o -name '*.css' -o -name '*.svg' -o -name '*.webmanifest' \) -exec gzip -9 -k {} +

FROM ${NGINX_IMAGE}
COPY --from=build /src/web/dist /usr/share/nginx/html
COPY deploy/nginx/web.conf /etc/nginx/nginx.conf
# nginx's own user. Ports below 1024 are not its business: the edge forwards to 8080.
USER 101:101
EXPOSE 8080
STOPSIGNAL SIGQUIT
ENTRYPOINT ["nginx"]
CMD ["-g", "daemon off;"]
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Mercado Esperto web page" \
      org.opencontainers.image.source="https://github.com/mercadoesperto/smarket" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
