#!/bin/sh
# A cluster for TinkerPop's conformance runs: traversal sources g, ggraph (empty), gmodern, gclassic, gcrew,
# ggrateful, gsink, loaded from the shared data. Stays until it is ended.
#
#   tests/conformance/serve.sh --port 45940 [--shards N] [--partitioner hash|range]
#
# Prints "ready" with the address when all is loaded.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${CARDEA_BUILD:-$here/../../build}
shared=${CARDEA_SHARED:-$here/../../../shared}
port=45940
shards=4
partitioner=hash
while [ $# -gt 0 ]; do
    case $1 in
    --port) port=$2 ;;
    --shards) shards=$2 ;;
    --partitioner) partitioner=$2 ;;
    *)
        printf 'usage: %s [--port PORT] [--shards N] [--partitioner hash|range]\n' "$0" >&2
        exit 2
        ;;
    esac
    shift 2
done
[ -d "$shared/data/tinkerpop" ] || {
    printf 'no data at %s (set CARDEA_SHARED)\n' "$shared/data/tinkerpop" >&2
    exit 1
}

data=$(mktemp -d)
export XDG_STATE_HOME="$data"
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$data"
}
trap finish EXIT
trap 'exit 0' INT TERM

"$build/cardea" dev --data "$data/cluster" --port "$port" --shards "$shards" --partitioner "$partitioner" \
    >"$data/ready" 2>"$data/log" &
server=$!
until [ -s "$data/ready" ]; do
    kill -0 "$server" 2>/dev/null || {
        cat "$data/log" >&2
        exit 1
    }
    sleep 0.05
done
address=$(sed -n 's|.*ws://\([0-9.:]*\)/gremlin.*|\1|p' "$data/ready")

for graph in ggraph gmodern gclassic gcrew ggrateful gsink; do
    "$build/cardeactl" --router "$address" graph create $graph --shards "$shards" --partitioner "$partitioner" \
        --ids int >/dev/null
done
for graph in modern classic crew sink; do
    "$build/cardea" load --quiet --router "$address" --graph "g$graph" \
        "$shared/data/tinkerpop/tinkerpop-$graph.json" 2>>"$data/log"
done
"$build/cardea" load --quiet --router "$address" --graph ggrateful "$shared/data/tinkerpop/grateful-dead.json" 2>>"$data/log"
printf 'ready: ws://%s/gremlin\n' "$address"
wait "$server"
