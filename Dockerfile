# The program in an image of its own, without models and without a shell user.
#
#   docker build -t polygist .
#   docker run --rm -v "$PWD/articles:/articles:ro" -v "$PWD/results:/results" \
#       -v polygist-models:/models polygist batch /articles --to en --out /results
#
# Results belong to user 10001: make the folder writable for it, or run with --user.
FROM rust:1-slim-trixie AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ pkg-config cmake \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Cargo.toml Cargo.lock build.rs ./
COPY src src
COPY models models
COPY benches benches
COPY examples examples
COPY tests tests
RUN cargo build --locked --release --bin polygist

FROM debian:trixie-slim
# pdftotext for PDF files; certificates for fetching models.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates poppler-utils python3-pip \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /models polygist \
    && install --directory --owner=10001 --group=10001 /models
COPY --from=build /source/target/release/polygist /usr/local/bin/polygist
USER 10001
ENV HOME=/models POLYGIST_CACHE=/models
VOLUME /models
ENTRYPOINT ["polygist"]
CMD ["--help"]
