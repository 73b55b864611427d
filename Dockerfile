# callbot as a container:
#
#   docker build -t callbot .
#   docker run --name callbot --env-file .env -p 127.0.0.1:3000:3000 -p 127.0.0.1:9464:9464 --stop-timeout 15 --read-only --cap-drop ALL \
#     -v "$PWD/config:/etc/callbot:ro" -v callbot:/var/lib/callbot callbot
#
# callbot.toml lies in the folder config/, the ledger in the volume callbot. With PostgreSQL: compose.yml.
# Beside it, `docker exec callbot callbot audit` and every other command.

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
# What the package holds beside the code: licence, and the files that people copy, to which bot/app/examples links.
COPY pyproject.toml README.md LICENSE NOTICE callbot.example.toml .env.example manifest.yml ./
COPY bot ./bot
# Every dependency has wheels, so nothing is compiled; the environment itself is made without pip.
RUN python -m venv --without-pip /opt/callbot \
    && pip --python /opt/callbot/bin/python install --no-cache-dir .

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="callbot" \
      org.opencontainers.image.description="Interventions on live phone calls, from Slack"
# A volume takes over the owner of the folder that it is mounted on.
RUN install -d -m 0755 /etc/callbot \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/callbot
COPY --from=build /opt/callbot /opt/callbot
COPY packaging/healthcheck.py /opt/callbot/healthcheck.py
ENV PATH=/opt/callbot/bin:$PATH \
    HOST=0.0.0.0 \
    PORT=3000 \
    METRICS_HOST=0.0.0.0 \
    METRICS_PORT=9464 \
    CALLBOT_CONFIG=/etc/callbot/callbot.toml \
    DATABASE_URL=sqlite:////var/lib/callbot/callbot.db
WORKDIR /var/lib/callbot
VOLUME ["/etc/callbot", "/var/lib/callbot"]
EXPOSE 3000 9464
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
# What an orderly end, within 10 s, begins with.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-I", "/opt/callbot/healthcheck.py"]
ENTRYPOINT ["callbot"]
CMD ["run"]
