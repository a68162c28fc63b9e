# Base images and the project's own, for run.sh.
python_image=python:3.11-slim postgres_image=postgres:15 redis_image=redis:7 proxy_image=nginx:1.28

find_base_images() {
    local image
    for image in $python_image $postgres_image $redis_image $proxy_image; do
        docker image inspect "$image" >/dev/null 2>&1 && continue
        timeout 300 docker pull --quiet "$image" >/dev/null 2>&1 && continue
        echo "$image cannot be pulled: stand-ins from Debian's packages"
        sh tests/compose/stand-ins.sh $python_image $postgres_image $redis_image $proxy_image || fail "stand-ins"
        return
    done
}

# On the machine's own network: with stand-ins there may be no other way to a package index.
build_images() {
    local target name revision
    revision=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
    for target in serve proxy; do
        name=dr-screening; [ $target = serve ] || name=dr-screening-proxy
        DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} docker build --quiet --network host --target $target --tag "$name:$VERSION" \
            --build-arg REVISION="$revision" . >"$work/build" 2>&1 ||
            { tail -n 30 "$work/build"; fail "building $target"; }
    done
    docker image inspect --format '{{.Size}}' "dr-screening:$VERSION" | awk '{printf "Image dr-screening: %.0f MB\n", $1 / 1e6}'
    docker image inspect --format '{{.Size}}' "$python_image" | awk '{printf "  of which its base: %.0f MB\n", $1 / 1e6}'
}
