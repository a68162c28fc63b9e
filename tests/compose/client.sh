# Requests of a clinic, with curl through the proxy, for run.sh.
jar=$work/jar
ca=$work/ca.pem
uploaded=$work/uploaded   # one line per accepted photograph: its id
: >"$uploaded"

web() { curl --silent --show-error --cacert "$ca" --max-time 70 "$@"; }
page() { web --cookie "$jar" --cookie-jar "$jar" --referer "$base/" "$@"; }
api() { web --header "Authorization: Bearer $(cat "$work/key")" "$@"; }
field() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }
form_token() { grep -o 'name="csrfmiddlewaretoken" value="[^"]*"' | head -n 1 | cut -d '"' -f 4; }
manage() { compose exec -T web python manage.py "$@"; }
sql() { compose exec -T db psql -qtA -U drsite -d drsite -c "$1" | tr -d '\r'; }

# wait_ready SECONDS: until the readiness check passes, through the proxy.
wait_ready() {
    local until=$(($(date +%s) + $1))
    while :; do
        compose exec -T proxy cat /tls/fullchain.pem >"$ca" 2>/dev/null || true
        [ -s "$ca" ] && web --fail --output "$work/health" "$base/health/ready" 2>/dev/null &&
            grep -q '"status": *"ok"' "$work/health" && break
        [ "$(date +%s)" -lt $until ] || { web "$base/health/ready" || true; fail "not ready within $1 s"; }
        sleep 1
    done
    cat "$work/health"; echo
}

# post_form PATH FIELD...: fetch the page's CSRF token and send the form; prints status and redirect.
post_form() {
    local address=$1 token field fields=(); shift
    for field in "$@"; do fields+=(--data-urlencode "$field"); done
    token=$(page "$base$address" | form_token)
    page --output "$work/answer" --write-out '%{http_code} %{redirect_url}' --data-urlencode "csrfmiddlewaretoken=$token" \
        "${fields[@]}" "$base$address" | sed "s,$base,,"
}

expect() { [ "$1" = "$2" ] || { head -c 1500 "$work/answer"; fail "$3: wanted '$2' and got '$1'"; }; echo "$3: $1"; }

new_password=brisk-lantern-otter-42
first_log_in() {
    expect "$(post_form /login/ username=admin "password=$admin_password")" "302 /" "Log-in with the first password"
    expect "$(page --output /dev/null --write-out '%{http_code} %{redirect_url}' "$base/admin/" | sed "s,$base,,")" \
        "302 /password/" "Every page leads to another password"
    expect "$(post_form /password/ "old_password=$admin_password" "new_password1=$new_password" "new_password2=$new_password")" \
        "302 /" "Another password"
    expect "$(page --output /dev/null --write-out '%{http_code} %{redirect_url}' "$base/" | sed "s,$base,,")" \
        "302 /sites/first/" "A site is asked for"
    expect "$(post_form /sites/first/ "name=Harbour clinic" timezone=Europe/Paris | cut -c 1-11)" "302 /sites/" "The first site"
}

issue_key() {
    local user
    expect "$(post_form /admin/screening/user/add/ username=camera usable_password=true password1=quiet-walnut-ferry-7 \
        password2=quiet-walnut-ferry-7 must_change_password=on | cut -c 1-3)" 302 "A user for the camera"
    user=$(sql "select id from screening_user where username = 'camera'")
    expect "$(post_form /admin/screening/membership/add/ "user=$user" "site=$(sql 'select id from screening_site')" \
        role=photographer | cut -c 1-3)" 302 "Its role"
    post_form /admin/screening/apikey/add/ "user=$user" name=Camera >/dev/null
    grep -o 'drk_[A-Za-z0-9_-]\{43\}' "$work/answer" | head -n 1 >"$work/key"
    if [ ! -s "$work/key" ]; then   # shown on the page that follows
        page "$base/admin/screening/apikey/" | grep -o 'drk_[A-Za-z0-9_-]\{43\}' | head -n 1 >"$work/key" || true
    fi
    [ -s "$work/key" ] || fail "no API key"
    echo "An API key: $(cut -c 1-8 "$work/key")..."
}

create_photographs() {
    local grade eye
    for grade in 0 1 2 3; do
        for eye in OD OS; do
            compose exec -T web python -c "
import sys
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality
draw_fundus(drawing_for_grade(ICDRGrade($grade), Laterality('$eye'), 7 + $grade)).save(sys.stdout.buffer, 'JPEG', quality=92)" \
                >"$work/$eye$grade.jpg" || fail "a synthetic photograph"
        done
    done
    ls "$work"/O[DS]?.jpg | wc -l | sed 's/$/ synthetic photographs/'
}

# send PHOTO LATERALITY EXAM: retried until it is accepted. Exams share photographs, which is confirmed.
send() {
    local status tries=0
    while :; do
        status=$(api --output "$work/sent" --write-out '%{http_code}' --form "photo=@$1;type=image/jpeg" \
            --form "laterality=$2" --form confirm=other_patient --form "reason=Synthetic" "$base/api/v1/exams/$3/images" 2>/dev/null) || status=000
        case $status in
        200 | 201) echo "$(field id <"$work/sent")" >>"$uploaded"; return ;;
        000 | 502 | 503 | 504) tries=$((tries + 1)); echo "$status" >>"$work/refused"; sleep 2 ;;
        *) head -c 800 "$work/sent"; fail "upload answered $status" ;;
        esac
        [ $tries -lt 60 ] || fail "upload not accepted for two minutes"
    done
}

# create PATH JSON: prints the id of the new record; retried until it is accepted.
create() {
    local id= tries=0
    while [ -z "$id" ]; do
        id=$(api --header 'Content-Type: application/json' --data "$2" "$base/api/v1/$1" 2>/dev/null | tee "$work/created" | field id) || id=
        [ -n "$id" ] || { tries=$((tries + 1)); sleep 2; }
        [ $tries -lt 60 ] || { head -c 800 "$work/created" >&2; return 1; }
    done
    echo "$id"
}

number=0
# upload_exams N COMMAND: N exams of two photographs; COMMAND runs after a third of them, while others wait.
upload_exams() {
    local i patient exam
    for i in $(seq "$1"); do
        number=$((number + 1))
        patient=$(create patients "{\"mrn\": \"T$number\", \"given_name\": \"Ada\", \"family_name\": \"Example $number\",
            \"born_on\": \"1960-05-17\", \"sex\": \"F\"}") || fail "registering a patient"
        exam=$(create exams "{\"patient\": \"$patient\"}") || fail "opening an exam"
        send "$work/OD$((number % 4)).jpg" OD "$exam"
        send "$work/OS$((number % 4)).jpg" OS "$exam"
        [ "$i" != $(($1 / 3 + 1)) ] || "$2"
    done
    echo "$1 exams of two photographs each; $(wc -l <"$uploaded") accepted so far"
}

# To kill a worker while it grades: photographs are queued while all workers are paused; one continues in steps of a tenth
# of a second until the database has a running grading, and is killed with SIGKILL.
hold_workers() { docker pause $(compose ps -q worker) >/dev/null; }
kill_one_worker() {
    local workers n=0
    workers=($(compose ps -q worker))
    for _ in $(seq 100); do
        docker unpause "${workers[0]}" >/dev/null
        sleep 0.1
        docker pause "${workers[0]}" >/dev/null
        n=$(sql "select count(*) from screening_grading where status = 'running'")
        [ "$n" = 0 ] || break
    done
    docker kill --signal KILL "${workers[0]}" >/dev/null
    docker unpause "${workers[@]:1}" >/dev/null
    echo "Killed worker ${workers[0]:0:12}; gradings running then: $n"
    [ "$n" != 0 ] || fail "no grading was running"
}
restart_workers() { compose restart -t 80 worker >/dev/null 2>&1; echo "Workers restarted"; }

# wait_graded SECONDS: until no grading is queued or running.
wait_graded() {
    local until=$(($(date +%s) + $1)) from n; from=$(date +%s)
    while :; do
        n=$(sql "select count(*) from screening_grading where status in ('queued', 'running')" 2>/dev/null) || n='?'
        [ "$n" = 0 ] && break
        [ "$(date +%s)" -lt $until ] || fail "$n gradings unfinished after $1 s"
        sleep 2
    done
    echo "All graded $(($(date +%s) - from)) s after the last upload"
}

show_error_pages() {
    local status
    status=$(page --output "$work/answer" --write-out '%{http_code}' "$base/patients/")
    grep -q Traceback "$work/answer" && fail "a stack trace was shown"
    echo "A page: $status, $(grep -o '<h1[^>]*>[^<]*' "$work/answer" | sed 's/<[^>]*>//')"
    api --write-out ' %{http_code}\n' "$base/api/v1/sites"
    web --write-out ' %{http_code}\n' "$base/health/ready"
}

check_proxy() {
    local style encoding
    step "Responses of the proxy"
    web --head "$base/login/" | tr -d '\r' | grep -i -E '^(HTTP|strict|x-|referrer|content-sec|cross|permissions|server)'
    style=$(web "$base/login/" | grep -o '/static/joined/pages\.[^"]*css' | head -n 1)
    for encoding in br gzip; do
        web --head --header "Accept-Encoding: $encoding" "$base$style" | tr -d '\r' >"$work/headers"
        grep -i -E '^(HTTP|cache|content-enc|content-type|vary)' "$work/headers"
        grep -qi "^content-encoding: $encoding$" "$work/headers" && grep -qi '^content-type: text/css$' "$work/headers" \
            || fail "the style sheet is not sent with $encoding"
    done
    web --output /dev/null --write-out 'photographs asked for directly: %{http_code}\n' "$base/photographs-by-proxy/photos/"
    head -c 54000000 /dev/zero >"$work/large"
    api --output "$work/answer" --write-out '54 MB: %{http_code} ' --form "photo=@$work/large" "$base/api/v1/predict"; head -c 120 "$work/answer"; echo
    head -c 60000000 /dev/zero >"$work/large"
    api --output "$work/answer" --write-out '60 MB: %{http_code}\n' --form "photo=@$work/large" "$base/api/v1/predict"; rm "$work/large"
    web --output "$work/answer" --header "Authorization: Bearer $metrics_token" --write-out 'metrics with the token: %{http_code}\n' "$base/metrics"
    web --output /dev/null --write-out 'metrics without: %{http_code}\n' "$base/metrics"
    for port in 8000 5432 6379; do
        docker ps --filter "label=com.docker.compose.project=$project" --format '{{.Ports}}' | grep -q ":$port->" && fail "port $port is open"
    done
    echo "Only the proxy has open ports"
}

log_in_again() {
    local image
    rm -f "$jar"
    expect "$(post_form /login/ username=admin "password=$new_password")" "302 /" "Log-in"
    image=$(head -n 1 "$uploaded")
    page --output "$work/photo" --dump-header "$work/headers" "$base/images/$image/photo/"
    head -c 3 "$work/photo" | od -An -tx1 | grep -q 'ff d8 ff' || fail "the first photograph is not shown"
    echo "The first photograph, sent $([ -n "$bucket" ] && echo "from the bucket" || echo "through X-Accel-Redirect"): $(wc -c <"$work/photo") bytes"
    tr -d '\r' <"$work/headers" | grep -i -E '^(HTTP|content-type|cache-control|x-content|content-disp)'
}

# lost: accepted with status 2xx, without exactly one finished grading of a stored file; duplicated: graded or stored twice.
print_table() {
    local n graded lost duplicated files id
    sort -u "$uploaded" >"$work/ids"
    n=$(wc -l <"$uploaded")
    sql "select image_id from screening_grading where status = 'done'" | sort >"$work/graded"
    graded=$(sort -u "$work/graded" | comm -12 - "$work/ids" | wc -l)
    lost=$(comm -23 "$work/ids" <(sort -u "$work/graded") | wc -l)
    duplicated=$(($(uniq -d "$work/graded" | wc -l) + n - $(wc -l <"$work/ids") +
        $(sql "select count(*) from (select object_id from screening_auditevent where verb = 'grading.done'
               group by object_id having count(*) > 1) as twice") +
        $(sql "select count(*) from screening_fundusimage") - $(wc -l <"$work/ids")))
    files=$(stored_files)
    printf '\n| uploaded | graded | lost | duplicated |\n|---|---|---|---|\n| %s | %s | %s | %s |\n\n' "$n" "$graded" "$lost" "$duplicated"
    echo "files stored: $files; uploads retried: $(wc -l 2>/dev/null <"$work/refused" || echo 0)"
    echo "gradings retried after a crash: $(sql "select count(*) from screening_grading where n_attempts > 1")"
    [ "$n" = "$graded" ] && [ "$lost" = 0 ] && [ "$duplicated" = 0 ] && [ "$files" = "$n" ] || fail "the table is not n, n, 0, 0"
    docker image inspect --format '{{.Size}}' "dr-screening:$VERSION" | awk '{printf "image: %.0f MB\n", $1 / 1e6; exit $1 > 7e8}' || fail "the image is over 700 MB"
}
