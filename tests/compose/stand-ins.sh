#!/bin/sh
# Stand-ins for the base images, for a machine that reaches no image registry: Debian's own Python, PostgreSQL, Redis and
# nginx in a debootstrap of the same Debian release, under the same tags. For the test in run.sh only, never for patients.
# Needs root, debootstrap and an engine at DOCKER_HOST.
#   STANDIN_CA=/path/to/ca.crt   certificates that pip is to trust inside the build (default: $SSL_CERT_FILE)
#   STANDIN_MIRROR=http://...    a Debian mirror (default: debootstrap's)
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
release=bookworm
ca=${STANDIN_CA:-${SSL_CERT_FILE:-}}

if ! docker image inspect dr-standin-base >/dev/null 2>&1; then
    debootstrap --variant=minbase --include=ca-certificates "$release" "$work/root" ${STANDIN_MIRROR:+"$STANDIN_MIRROR"} >"$work/debootstrap.log" 2>&1 ||
        { tail -n 20 "$work/debootstrap.log"; exit 1; }
    rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/* "$work"/root/usr/share/doc/* \
        "$work"/root/usr/share/locale/* "$work"/root/usr/share/man/*
    tar -C "$work/root" -c . | docker import - dr-standin-base >/dev/null
    rm -rf "$work/root"
fi

# stand_in TAG: builds the Dockerfile on standard input under that tag, unless it is there.
stand_in() {
    if docker image inspect "$1" >/dev/null 2>&1; then
        cat >/dev/null
        return
    fi
    cat >"$work/Dockerfile"
    DOCKER_BUILDKIT=0 docker build --quiet --network host --tag "$1" "$work" >"$work/build.log" 2>&1 ||
        { tail -n 30 "$work/build.log"; exit 1; }
}

install='export DEBIAN_FRONTEND=noninteractive; apt-get update -q && apt-get install -q -y --no-install-recommends'
clean='rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /usr/share/doc/* /usr/share/locale/*'

# The image of Python has python and pip in /usr/local/bin. The CA file and pip's settings are those of this machine: they
# are in the stand-in, so that the project's own Dockerfile needs to know of neither.
: >"$work/ca.crt"
[ -z "$ca" ] || cp "$ca" "$work/ca.crt"
stand_in "$1" <<END
FROM dr-standin-base
RUN $install python3 python3-venv python3-pip openssl tzdata netbase && $clean \
 && ln -s /usr/bin/python3.11 /usr/local/bin/python && ln -s /usr/bin/pip3 /usr/local/bin/pip
COPY ca.crt /usr/local/share/stand-in-ca.crt
RUN if [ -s /usr/local/share/stand-in-ca.crt ]; then \
      printf '[global]\ncert = /usr/local/share/stand-in-ca.crt\nretries = 10\n' >/etc/pip.conf; fi
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["python"]
END

# The image of PostgreSQL makes the cluster, the user and the database of its environment at the first start.
cat >"$work/postgres.sh" <<'END'
#!/bin/sh
set -eu
PGDATA=${PGDATA:-/var/lib/postgresql/data}
export PGDATA
[ -z "${POSTGRES_PASSWORD_FILE:-}" ] || POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown -R postgres:postgres "$PGDATA" /run/postgresql
    export POSTGRES_PASSWORD
    exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    : "${POSTGRES_PASSWORD:?is empty}"
    (umask 077; printf '%s' "$POSTGRES_PASSWORD" >/tmp/pw)
    initdb -U "${POSTGRES_USER:-postgres}" --pwfile=/tmp/pw --auth-host=scram-sha-256 --auth-local=trust -E UTF8 --locale=C.UTF-8
    rm /tmp/pw
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -o '-c listen_addresses=' -w start
    createdb -U "${POSTGRES_USER:-postgres}" "${POSTGRES_DB:-postgres}"
    pg_ctl -m fast -w stop
fi
exec "$@" -c listen_addresses='*'
END
chmod 755 "$work/postgres.sh"
stand_in "$2" <<END
FROM dr-standin-base
RUN $install postgresql-15 && $clean && rm -rf /var/lib/postgresql/15 && mkdir -p /var/lib/postgresql/data /run/postgresql \
 && chown -R postgres:postgres /var/lib/postgresql /run/postgresql
COPY postgres.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/local/bin:/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
END

stand_in "$3" <<END
FROM dr-standin-base
RUN $install redis-server redis-tools && $clean && mkdir -p /data && chown redis:redis /data
VOLUME /data
WORKDIR /data
CMD ["redis-server"]
END

stand_in "$4" <<END
FROM dr-standin-base
RUN $install nginx-light && $clean
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
END
