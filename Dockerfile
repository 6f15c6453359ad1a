# An image of the command line. Its entry point is natspoc:
#   docker build -t natspoc .
#   docker run --rm natspoc consume --server nats://nats:4222
# To run your handler, build an image FROM natspoc, copy the module to /srv, and set the command `consume --handler handler.js`.
FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:26-slim
WORKDIR /app
COPY --from=build /build/package.json /build/oclif.manifest.json /build/LICENSE ./
COPY --from=build /build/bin/run.js bin/
COPY --from=build /build/dist dist
COPY --from=build /build/node_modules node_modules
# Probes and scrapers connect from outside the container.
ENV HEALTH_HOST=0.0.0.0 EXPORTER_HOST=0.0.0.0
WORKDIR /srv
USER node
# natspoc can be PID 1: it handles SIGTERM, and commits and hands over before it ends.
ENTRYPOINT ["node", "/app/bin/run.js"]
CMD ["help"]
