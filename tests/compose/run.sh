#!/bin/bash
# End-to-end test of the containers: build, start, first log-in, 40 uploads while one of two workers is killed, Redis and
# PostgreSQL unavailable, down and up, and the maintenance of docs/operations.md. The last table has n photographs uploaded
# and graded, none lost, none duplicated.
#   tests/compose/run.sh              needs docker, docker compose (or docker-compose) and curl; KEEP=1 leaves it running
# Where base images cannot be pulled, tests/compose/stand-ins.sh makes them from Debian's packages (root, debootstrap).
set -euo pipefail
cd "$(dirname "$0")/../.."

project=${PROJECT:-dr-compose-test}
https_port=${HTTPS_PORT:-18443}
work=$(mktemp -d)
cert_dir=deploy/tls
export VERSION=compose-test
base=https://localhost:$https_port
docker compose version >/dev/null 2>&1 && engine=(docker compose) || engine=(docker-compose)
compose() { "${engine[@]}" --project-name "$project" --env-file "$work/env" "$@"; }
step() { printf '\n== %s  %s\n' "$(date +%T)" "$*"; }
fail() { printf '\nFAILED: %s\n' "$*" >&2; compose ps >&2 || true; compose logs --tail 25 >&2 || true; exit 1; }
moto=
cleanup() {
    [ -n "${KEEP:-}" ] && { echo "Left running; settings in $work/env"; return; }
    [ -z "$moto" ] || kill "$moto" 2>/dev/null || true
    compose down --volumes --timeout 20 >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT

source tests/compose/images.sh
source tests/compose/client.sh
source tests/compose/maintenance.sh

[ ! -e "$cert_dir/fullchain.pem" ] || fail "deploy/tls has a certificate: this test uses a self-signed one"
sh deploy/new-env.sh localhost >"$work/env"
sed -i "s/^HTTPS_PORT=.*/HTTPS_PORT=$https_port/; s/^HTTP_PORT=.*/HTTP_PORT=${HTTP_PORT:-18080}/" "$work/env"
admin_password=$(sed -n 's/^ADMIN_PASSWORD=//p' "$work/env")
metrics_token=$(sed -n 's/^METRICS_TOKEN=//p' "$work/env")
echo "API_RATE=100000/min" >>"$work/env"
echo "API_PHOTO_RATE=100000/min" >>"$work/env"

step "Images"
find_base_images
build_images
compose config >/dev/null || fail "docker compose config"

step "Weak and missing secrets are refused"
sed 's/^REDIS_PASSWORD=.*/REDIS_PASSWORD=redis/' "$work/env" >"$work/weak"
if "${engine[@]}" --project-name "$project" --env-file "$work/weak" run --rm preflight; then fail "a weak secret was accepted"; fi
sed '/^SECRET_KEY=/d' "$work/env" >"$work/none"
if "${engine[@]}" --project-name "$project" --env-file "$work/none" run --rm preflight; then fail "a missing secret was accepted"; fi

step "Start, with two web containers and two workers"
started=$(date +%s)
compose up -d --no-build --scale web=2 --scale worker=2 || fail "up"
wait_ready 180
echo "Ready after $(($(date +%s) - started)) s"
n=$(compose logs web | grep -c 'Applying screening.0001' || true)
[ "$n" = 1 ] || fail "migrations ran $n times"
echo "Migrations ran once for two web containers"

step "First log-in: another password, the first site, users, an API key"
first_log_in
issue_key
create_photographs
check_proxy

step "40 uploads; one of two workers is killed meanwhile"
hold_workers
upload_exams 20 kill_one_worker
wait_graded 300
step "Redis unavailable for 30 s"
compose stop -t 10 redis >/dev/null 2>&1
upload_exams 2 true
sleep 30
compose start redis >/dev/null 2>&1
wait_graded 300
step "PostgreSQL unavailable for 30 s"
compose stop -t 30 db >/dev/null 2>&1
show_error_pages
(sleep 30; compose start db >/dev/null 2>&1) &
upload_exams 2 true
wait $!
wait_graded 300
step "A worker is restarted while it grades (SIGTERM)"
upload_exams 2 restart_workers
wait_graded 300
step "Down and up"
compose down --timeout 80 >/dev/null 2>&1 || fail "down"
compose up -d --no-build --scale web=1 --scale worker=4 >/dev/null 2>&1 || fail "up again"
wait_ready 180
upload_exams 2 true
wait_graded 300
log_in_again
step "Backup and restore"
source tests/compose/backup.sh
back_up_and_restore
step "Secrets are changed"
change_secrets
step "Secrets are moved into files"
secrets_to_files
step "Upgrade"
upgrade
step "Photographs are moved to S3"
move_to_s3
step "Health of every container"
all_healthy
step "Result"
print_table
