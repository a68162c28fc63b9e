# Three images from one file; docker-compose.yml names the target of each.
#   serve   what web, worker and beat run: no torch, no compiler        docker build --target serve .
#   proxy   nginx with the style sheets and scripts of this version     docker build --target proxy .
#   train   torch besides, for `python -m ml train`                     docker build --target train .
ARG PYTHON_IMAGE=python:3.11-slim
ARG PROXY_IMAGE=nginx:1.28

# --- installed packages, without what is never served; pip stays behind in this stage ---
FROM ${PYTHON_IMAGE} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv
COPY requirements/serve.txt /tmp/requirements/serve.txt
# Deleted: tests of numpy, AWS services other than S3 and log-in, tools for editing ONNX files, the second viewer of the API
# (Redoc), tests and code tables of pydicom, sources of Django's translations.
RUN pip install --only-binary :all: -r /tmp/requirements/serve.txt \
 && python -m pip uninstall --yes setuptools pip \
 && cd /opt/venv/lib/python3*/site-packages \
 && find numpy -type d -name tests -prune -exec rm -rf {} + \
 && find botocore/data -mindepth 1 -maxdepth 1 -type d \
        ! -name s3 ! -name sts ! -name sso ! -name sso-oidc ! -name signin -exec rm -rf {} + \
 && rm -rf onnxruntime/transformers onnxruntime/quantization onnxruntime/tools \
        drf_spectacular_sidecar/static/drf_spectacular_sidecar/redoc \
        pydicom/sr pydicom/data/test_files \
 && find . -name '*.po' -delete

# --- the application, without the demo ---
FROM packages AS application
WORKDIR /app
COPY manage.py ./
COPY deploy ./deploy
COPY drsite ./drsite
COPY ml ./ml
COPY screening ./screening
COPY templates ./templates
COPY locale ./locale
COPY static ./static
# The key of this one command signs nothing. Collected files get the modes of photographs, hence the last line.
RUN rm -rf screening/demo \
 && python -m compileall -q drsite ml screening deploy \
 && SECRET_KEY=only-for-collecting-static-files-0123456789-abcdefghijk ALLOWED_HOSTS=localhost \
    DJANGO_SETTINGS_MODULE=drsite.settings STATIC_ROOT=/app/staticfiles VAR_DIR=/tmp/var \
    python manage.py collectstatic --noinput --verbosity 0 \
 && chmod -R a+rX /app/staticfiles

# --- serve ---
FROM ${PYTHON_IMAGE} AS serve
# Documents as PDF: Pango, and fonts for names in scripts that Inter does not have (Arabic and Greek, Devanagari, Chinese).
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends \
        libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core fonts-lohit-deva fonts-wqy-microhei \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
# The number and not the name: the proxy reads the photographs as the same user, and orchestrators ask for a number.
RUN groupadd --gid 10001 screening && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent screening \
 && install -d -o 10001 -g 10001 -m 0700 /data /data/media /tls
COPY --from=packages /opt/venv /opt/venv
COPY --from=application /app /app
WORKDIR /app
# All that a process writes lies in volumes and in memory: the root file system may be read-only.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=drsite.settings \
    MEDIA_ROOT=/data/media STATIC_ROOT=/app/staticfiles VAR_DIR=/tmp/var \
    XDG_CACHE_HOME=/tmp/cache \
    OMP_NUM_THREADS=1 ORT_DISABLE_TELEMETRY=1
# Last, so that another revision alone does not build everything again.
ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Diabetic retinopathy screening" \
      org.opencontainers.image.description="Grades fundus photographs for a clinician to review. Not a certified medical device." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 CMD ["python", "deploy/healthcheck_web.py"]
CMD ["sh", "deploy/start-web.sh"]

# --- proxy ---
FROM ${PROXY_IMAGE} AS proxy
RUN install -d -o 10001 -g 10001 -m 0700 /var/spool/proxy
COPY deploy/proxy/nginx.conf /etc/nginx/nginx.conf
COPY deploy/proxy/pages /srv/pages
COPY --from=application /app/staticfiles /srv/static
USER 10001:10001
EXPOSE 8080 8443
STOPSIGNAL SIGQUIT
ENTRYPOINT []
CMD ["nginx", "-g", "daemon off;"]

# --- train ---
FROM ${PYTHON_IMAGE} AS train
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv
COPY requirements /tmp/requirements
RUN /opt/venv/bin/pip install -r /tmp/requirements/train.txt
RUN groupadd --gid 10001 screening && useradd --uid 10001 --gid 10001 --create-home screening \
 && install -d -o 10001 -g 10001 /data
COPY ml /app/ml
# Runs and the cache of crops are written below /data, where a volume belongs.
ENV PYTHONPATH=/app
WORKDIR /data
USER 10001:10001
ENTRYPOINT ["python", "-m", "ml"]
CMD ["--help"]
