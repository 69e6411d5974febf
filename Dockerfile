# Gateway, vault with its page, and watcher: one image, which of them it is says the command. It has the claude CLI that package.json
# pins, and bubblewrap to put each run in. Options it needs: compose.yml.
FROM node:24-trixie-slim AS page
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
# The page needs no program of a package, only their code.
RUN npm ci --ignore-scripts --cache /tmp/npm && rm -rf /tmp/npm
COPY tsconfig.json ./
COPY shared ./shared
COPY dashboard ./dashboard
RUN npm run build

FROM node:24-trixie-slim

RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap ca-certificates util-linux \
  && rm -rf /var/lib/apt/lists/* /var/log/*

# Named volumes start with these owners: /data is the gateway's, /claude holds the login of the CLI.
RUN groupadd --gid 10001 gatehouse \
  && useradd --uid 10001 --gid gatehouse --home-dir /claude --no-create-home --shell /bin/bash gatehouse \
  && install -d -o gatehouse -g gatehouse -m 700 /data /claude /vault /watcher

WORKDIR /app
COPY .npmrc package.json package-lock.json ./
RUN npm ci --omit=dev --cache /tmp/npm && rm -rf /tmp/npm
COPY shared ./shared
COPY cli ./cli
COPY gateway ./gateway
COPY vault ./vault
COPY watcher ./watcher
COPY --from=page /app/dashboard/dist ./dashboard/dist
# A checkout of somebody with a strict umask is for him alone.
RUN chmod -R a+rX package.json shared cli gateway vault watcher dashboard

ENV NODE_ENV=production \
  PATH=/app/node_modules/.bin:$PATH \
  DISABLE_AUTOUPDATER=1 \
  GATEWAY_HOST=0.0.0.0 \
  VAULT_HOST=0.0.0.0 \
  ALLOW_WILDCARD_BIND=true \
  GATEWAY_DATA_DIR=/data \
  VAULT_DATA_DIR=/vault \
  WATCHER_DATA_DIR=/watcher \
  CLAUDE_CONFIG_DIR=/claude
USER 10001:10001
EXPOSE 8800 8700
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.GATEWAY_PORT || 8800}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "gateway/main.ts"]
