# Kilter from source on Deno; build with `docker compose build`.
FROM denoland/deno:2.9.6

WORKDIR /app

# Dependencies first, so that a change of the sources does not fetch them again.
COPY --chown=deno:deno deno.json deno.lock ./
COPY --chown=deno:deno testing/std_assert.ts testing/std_assert.d.ts testing/
RUN mkdir .kilter && chown deno:deno . .kilter

# The image's own user without rights.
USER deno
RUN deno install --frozen

COPY --chown=deno:deno . .
RUN deno task build:islands

VOLUME /app/.kilter
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["deno", "eval", "const r = await fetch('http://127.0.0.1:8000/healthz'); Deno.exit(r.ok ? 0 : 1)"]

CMD ["deno", "task", "start"]
