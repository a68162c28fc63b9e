# The commands of docs/operations.md for backup and restore, for run.sh.
back_up_and_restore() {
    local before after
    before=$(sql "select count(*) from screening_grading where status = 'done'")
    compose exec -T db pg_dump -U drsite -d drsite --format=custom >"$work/database.dump" || fail "pg_dump"
    compose exec -T web tar -C /data/media -cf - . >"$work/photographs.tar" || fail "tar"
    compose stop web worker beat >/dev/null 2>&1
    compose exec -T db dropdb -U drsite --force drsite
    compose exec -T db createdb -U drsite drsite
    compose exec -T db pg_restore -U drsite -d drsite --exit-on-error <"$work/database.dump" || fail "pg_restore"
    compose run -T --rm --no-deps web sh -c 'rm -rf /data/media/photos' </dev/null 2>/dev/null || fail "removing"
    compose run -T --rm --no-deps web tar -C /data/media -xf - <"$work/photographs.tar" 2>/dev/null || fail "untar"
    compose start web worker beat >/dev/null 2>&1
    wait_ready 180
    after=$(sql "select count(*) from screening_grading where status = 'done'")
    [ "$before" = "$after" ] || fail "restored $after of $before gradings"
    echo "Restored: $after gradings, $(wc -c <"$work/photographs.tar") bytes of photographs"
    log_in_again
}
