#!/bin/sh
# Installs what is missing, builds debug with sanitizers and release, runs all tests. The README's test command;
# continuous integration calls exactly this. May be run again, from any folder, as root or with sudo.
#
#   sh tests/run.sh           everything of the main run, under ten minutes on two cores
#   sh tests/run.sh --full    also the long simulation and the long cluster runs
set -eu
cd "$(dirname "$0")/.."

sh deploy/setup.sh --tests

setup() {
    dir=$1
    shift
    # Tests and warnings as errors, also in a folder that deploy/try.sh has made without them.
    if [ -f "$dir/build.ninja" ]; then
        set -- --reconfigure "$@"
    fi
    meson setup "$dir" -Dtests=enabled --werror "$@" >"$dir.log" 2>&1 || {
        cat "$dir.log"
        exit 1
    }
    rm -f "$dir.log"
}

# Sanitizers find what a release build hides; release is what people run. Both run the same tests.
CC=${SANITIZER_CC:-clang} CXX=${SANITIZER_CXX:-clang++} setup build-asan \
    --buildtype=debug -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false
setup build --buildtype=release
ninja -C build
ninja -C build-asan

# The stock drivers, where their registries are reached; tests say what they skip.
(cd tests/drivers/js && [ -d node_modules/gremlin ] || npm ci --no-audit --no-fund >/dev/null 2>&1) ||
    echo 'npm cannot install the JavaScript driver: its tests are skipped'
if [ ! -x tests/drivers/.venv/bin/python ]; then
    python3 -m venv tests/drivers/.venv &&
        tests/drivers/.venv/bin/pip install -q gremlinpython==3.8.2 >/dev/null 2>&1 ||
        echo 'pip cannot install the Python driver: its tests are skipped'
fi

status=0
run() {
    dir=$1
    shift
    meson test -C "$dir" --print-errorlogs --no-rebuild --timeout-multiplier 5 "$@" || status=1
}
export ASAN_OPTIONS=detect_stack_use_after_return=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
run build-asan --suite unit --suite golden --suite fuzz
run build --suite tidy --suite unit --suite golden --suite fuzz --suite sim --suite cluster --suite conformance --suite drivers --suite bench
if [ "${1:-}" = --full ]; then
    run build --suite long
fi

# One closing line over all runs, from the runner's own records.
python3 tests/summary.py build-asan/meson-logs build/meson-logs || status=1
exit $status
