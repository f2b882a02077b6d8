#!/bin/sh
# Starts serve.sh on a free port, runs the features against it, ends it. Exit 77: nothing to run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shared=${CARDEA_SHARED:-$here/../../../shared}
[ -d "$shared/tck/features" ] || {
    printf 'skipped: no features at %s (set CARDEA_SHARED)\n' "$shared/tck/features"
    exit 77
}
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
log=$(mktemp)
"$here/serve.sh" --port "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -f "$log"' EXIT
until grep -q '^ready' "$log"; do
    kill -0 "$server" 2>/dev/null || {
        cat "$log"
        exit 1
    }
    sleep 0.1
done
CARDEA_SHARED=$shared python3 "$here/run.py" --port "$port" "$@" || {
    tail -n 20 "$log"
    exit 1
}
