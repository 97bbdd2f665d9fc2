# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build

ENV PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN apt-get update \
    && apt-get install -y --no-install-recommends gettext \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements/base.txt /tmp/base.txt
# Every requirement has a wheel, so that no compiler is needed even here.
RUN pip install --require-hashes --no-deps --only-binary :all: -r /tmp/base.txt && pip uninstall -y pip

WORKDIR /app
COPY . .
# These settings live for the two commands only; nothing of them is kept in the image.
RUN export DEMO=1 CLINIC_HOME=/tmp/clinic SECRET_KEY="$(head -c 48 /dev/urandom | base64)" \
    && python manage.py compilemessages --verbosity 0 \
    && python manage.py collectstatic --noinput --verbosity 0


FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 clinic \
    && useradd --uid 10001 --gid clinic --no-create-home --shell /usr/sbin/nologin clinic \
    && install -d -o clinic -g clinic -m 0700 /data /data/media

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=clinic.settings \
    BIND_HOST=0.0.0.0 \
    PORT=8000 \
    MEDIA_ROOT=/data/media

COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER clinic
EXPOSE 8000
ENTRYPOINT ["/app/deploy/entrypoint.sh"]
CMD ["gunicorn", "--config", "deploy/gunicorn.conf.py", "clinic.wsgi:application"]
