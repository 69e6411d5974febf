# The gateway with the claude CLI that package.json pins, and bubblewrap to put each run in. Options it needs: compose.yml.
FROM node:24-trixie-slim

RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap ca-certificates util-linux \
  && rm -rf /var/lib/apt/lists/* /var/log/*

# Named volumes start with these owners: /data is the gateway's, /claude holds the login of the CLI.
RUN groupadd --gid 10001 gatehouse \
  && useradd --uid 10001 --gid gatehouse --home-dir /claude --no-create-home --shell /bin/bash gatehouse \
  && install -d -o gatehouse -g gatehouse -m 700 /data /claude

WORKDIR /app
COPY .npmrc package.json package-lock.json ./
RUN npm ci --omit=dev --cache /tmp/npm && rm -rf /tmp/npm
COPY shared ./shared
COPY cli ./cli
COPY gateway ./gateway
COPY vault ./vault
COPY watcher ./watcher
# A checkout of somebody with a strict umask is for him alone.
RUN chmod -R a+rX package.json shared cli gateway vault watcher

ENV NODE_ENV=production \
  PATH=/app/node_modules/.bin:$PATH \
  DISABLE_AUTOUPDATER=1 \
  GATEWAY_HOST=0.0.0.0 \
  ALLOW_WILDCARD_BIND=true \
  GATEWAY_DATA_DIR=/data \
  CLAUDE_CONFIG_DIR=/claude
USER 10001:10001
EXPOSE 8800
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.GATEWAY_PORT || 8800}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "gateway/main.ts"]
