# syntax=docker/dockerfile:1

# Muster without the embedded engine, for `muster worker` and `muster serve` beside a Temporal of your own.
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY . .
ARG VERSION=dev
ARG REVISION=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -tags slim -trimpath -buildvcs=false \
      -ldflags "-s -w -X main.version=${VERSION} -X main.revision=${REVISION}" -o /out/muster . \
    && mkdir /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/muster /muster
# A volume that is mounted here first takes over this folder's owner.
COPY --from=build --chown=65532:65532 /out/data /var/lib/muster
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/muster"]
