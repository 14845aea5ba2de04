# Two stages: a builder, and an image with one static binary and nothing else.
#
#   docker build --tag minikin .
#   docker run --publish 4567:4567 minikin
#   docker run --publish 4567:4567 --volume streams:/data minikin --data-dir /data

FROM rust:1.95-bookworm AS builder
WORKDIR /source
COPY . .
# With a target named, the flags stay away from build scripts and macros, which cannot be static.
# Packed relocations take 490 KB less, and a static program needs no newer C library to read them.
RUN target="$(uname -m)-unknown-linux-gnu" \
    && RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs" \
        cargo build --profile dist --locked --features image --bin minikin --target "$target" \
    && mkdir -p /image/program /image/folders/data /image/folders/tmp \
    && chmod 1777 /image/folders/tmp \
    && cp "target/$target/dist/minikin" /image/program/

FROM scratch
COPY --from=builder /image/program/ /
# An empty image has no mkdir and no chown, so the folders come from the builder with their owner:
# /data for --data-dir, /tmp for the records that memory cannot hold without one.
COPY --from=builder --chown=10001:10001 /image/folders/ /
VOLUME /data
# By number: the image has no list of users, and Kubernetes checks that it is not 0.
USER 10001:10001
# The loopback addresses of a container are not reachable from outside.
ENV MINIKIN_HOST=any
# Each port takes plain HTTP and TLS: 4567 is kinesalite's port and kinesis-mock's for TLS, 4568
# kinesis-mock's for plain HTTP, 4566 LocalStack's.
ENV MINIKIN_EXTRA_PORT=4568,4566
EXPOSE 4567 4568 4566
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/minikin", "health"]
ENTRYPOINT ["/minikin"]
