# The maintenance of docs/operations.md, for run.sh: secrets, upgrade, S3, health.

up_again() { compose up -d --no-build --scale web=1 --scale worker=2 >/dev/null 2>&1 || fail "up"; wait_ready 180; }
works_on() { upload_exams 1 true; wait_graded 300; log_in_again; }
setting() { sed -n "s/^$1=//p" "$work/env"; }

change_secrets() {
    local name new
    for name in SECRET_KEY DATABASE_PASSWORD REDIS_PASSWORD METRICS_TOKEN; do
        new=$(od -An -tx1 -N 32 /dev/urandom | tr -d ' \n')
        if [ $name = DATABASE_PASSWORD ]; then
            printf '%s\n%s\n' "$new" "$new" | compose exec -T db psql -U drsite -d drsite -c '\password drsite' >/dev/null 2>&1 ||
                fail "changing the database's password"
        fi
        sed -i "s/^$name=.*/$name=$new/" "$work/env"
    done
    up_again
    expect "$(page --output /dev/null --write-out '%{http_code} %{redirect_url}' "$base/patients/" | sed "s,$base,,")" \
        "302 /login/?next=/patients/" "With another SECRET_KEY everybody must log in again"
    expect "$(web --output /dev/null --header "Authorization: Bearer $metrics_token" --write-out '%{http_code}' "$base/metrics")" \
        401 "The old token for /metrics"
    expect "$(web --output /dev/null --header "Authorization: Bearer $(setting METRICS_TOKEN)" --write-out '%{http_code}' \
        "$base/metrics")" 200 "The new one"
    works_on
}

secrets_to_files() {
    local shown
    sh deploy/secrets-to-files.sh "$work/env" "$work/secrets" || fail "secrets-to-files.sh"
    ! grep -q -E '^(SECRET_KEY|.*_PASSWORD)=.' <(grep -v '^ADMIN_PASSWORD' "$work/env") || fail "a secret is still in .env"
    compose config >/dev/null || fail "docker compose config"
    up_again
    shown=$(docker inspect --format '{{.Config.Env}}' $(compose ps -q))
    for name in SECRET_KEY DATABASE_PASSWORD REDIS_PASSWORD METRICS_TOKEN; do
        ! grep -q "$(cat "$work/secrets/$name")" <<<"$shown" || fail "$name is still in a container's environment"
    done
    echo "No secret in .env or in a container's environment"
    works_on
    chmod u+w "$work/secrets/REDIS_PASSWORD"
    od -An -tx1 -N 32 /dev/urandom | tr -d ' \n' >"$work/secrets/REDIS_PASSWORD"
    compose up -d --no-build --force-recreate --scale web=1 --scale worker=2 >/dev/null 2>&1 || fail "another file"
    wait_ready 180
    works_on
}

# To another tag and back; photographs and queued gradings are kept.
upgrade() {
    local old=$VERSION
    compose exec -T db pg_dump -U drsite -d drsite --format=custom >"$work/before-upgrade.dump" || fail "pg_dump"
    export VERSION=$old-next
    build_images
    up_again
    docker inspect --format '{{.Config.Image}}' "$(compose ps -q web)" | grep -q -- "-next$" || fail "the old image still runs"
    works_on
    export VERSION=$old
    up_again
    docker rmi "dr-screening:$old-next" "dr-screening-proxy:$old-next" >/dev/null
}

bucket= endpoint=
# The commands of "Move the photographs to S3", with moto's server as a bucket.
move_to_s3() {
    local python=.venv/bin/python gateway port=${S3_PORT:-15555}
    if ! command -v aws >/dev/null || ! $python -c 'import moto' 2>/dev/null; then
        echo "SKIPPED: this needs the AWS CLI and the environment of 'make test' (moto's server)"
        return
    fi
    gateway=$(docker network inspect "${project}_outside" --format '{{(index .IPAM.Config 0).Gateway}}')
    endpoint=http://$gateway:$port
    $python -m moto.server -H "$gateway" -p "$port" >"$work/moto.log" 2>&1 &
    moto=$!
    export AWS_ACCESS_KEY_ID=compose-test AWS_SECRET_ACCESS_KEY=compose-test-secret AWS_DEFAULT_REGION=us-east-1
    s3() { aws --endpoint-url "$endpoint" "$@"; }
    for _ in $(seq 60); do s3 s3 ls >/dev/null 2>&1 && break; sleep 1; done
    s3 s3 mb s3://screening-photographs >/dev/null || fail "making a bucket"

    compose stop web worker beat >/dev/null 2>&1
    compose run -T --rm --no-deps web tar -C /data/media -cf - photos </dev/null 2>/dev/null | tar -C "$work" -xf - || fail "tar"
    s3 s3 sync --only-show-errors "$work/photos" s3://screening-photographs/photos || fail "aws s3 sync"
    printf '%s\n' "S3_BUCKET=screening-photographs" "S3_ENDPOINT_URL=$endpoint" "S3_REGION=us-east-1" \
        "S3_ACCESS_KEY=compose-test" "S3_SECRET_KEY=compose-test-secret" >>"$work/env"
    up_again
    bucket=s3://screening-photographs/photos/
    manage doctor | grep -i storage
    compose exec -T web sh -c 'rm -rf /data/media/photos'
    works_on
}

stored_files() {
    if [ -n "$bucket" ]; then s3 s3 ls --recursive "$bucket" | wc -l; else
        compose exec -T web sh -c 'find /data/media/photos -type f | wc -l' | tr -d '\r'
    fi
}

all_healthy() {
    local id until state
    until=$(($(date +%s) + 200))
    for id in $(compose ps -q web worker beat db redis proxy); do
        while :; do
            state=$(docker inspect --format '{{.Name}} {{.State.Health.Status}}' "$id")
            case $state in *\ healthy) echo "$state"; break ;; esac
            [ "$(date +%s)" -lt $until ] || fail "$state"
            sleep 3
        done
    done
    compose exec -T beat sh -c 'test -n "$(find /tmp -maxdepth 1 -name beat-heartbeat -mmin -2)"' || fail "beat has no heartbeat"
}
