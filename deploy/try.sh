#!/bin/sh
# From nothing to answers: installs what is missing, builds, starts a cluster in one process, loads a sample
# graph, asks it five questions, tells how to go on, and ends. May be run again, from any folder.
#
#   sh deploy/try.sh            ends the cluster when done
#   sh deploy/try.sh --stay     leaves it running in the foreground until Ctrl-C
set -eu
cd "$(dirname "$0")/.."

stay=no
case ${1:-} in
--stay) stay=yes ;;
'') ;;
*)
    printf 'usage: sh deploy/try.sh [--stay]\n' >&2
    exit 2
    ;;
esac

sh deploy/setup.sh
[ -f build/build.ninja ] || meson setup build --buildtype=release >build.log 2>&1 || {
    cat build.log >&2
    exit 1
}
rm -f build.log
ninja -C build cardea

data=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$data"
}
trap finish EXIT
trap 'exit 130' INT TERM

# The usual port, or any free one: --port 0 picks, and the ready line tells.
start() {
    build/cardea dev --data "$data/cluster" --port "$1" >"$data/ready" 2>"$data/log" &
    server=$!
    tries=0
    until [ -s "$data/ready" ]; do
        kill -0 "$server" 2>/dev/null || return 1
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || return 1
        sleep 0.05
    done
}
start 8182 || start 0 || {
    cat "$data/log" >&2
    exit 1
}
cat "$data/ready"
address=$(sed -n 's|.*ws://\([0-9.:]*\)/gremlin.*|\1|p' "$data/ready")

printf '\nLoading the sample: the solar system, and who flew where.\n'
build/cardea load deploy/sample/solar-nodes.csv deploy/sample/solar-edges.csv --router "$address"

ask() {
    printf '\n# %s\ngremlin> %s\n' "$1" "$2"
    build/cardea query --router "$address" "$2"
}
ask 'How many of what?' 'g.V().groupCount().by(label)'
ask 'Which moons are larger than Mercury?' \
    "g.V().hasLabel('moon').has('radius_km', gt(2440)).values('name')"
ask 'What did Voyager 2 pass, in order?' \
    "g.V('voyager-2').outE('visited').order().by('year').as('e').inV().as('b').select('b','e').by('name').by('year')"
ask 'Which bodies did most missions visit?' \
    "g.V().hasLabel('planet','moon','comet').project('body','missions').by('name').by(__.in('visited').count()).order().by('missions', desc).limit(5)"
ask 'Who has been to where Cassini went, two hops away?' \
    "g.V('cassini').out('visited').in('visited').dedup().in('flew').groupCount().by('name')"

cat <<TEXT

How to go on
  sh deploy/try.sh --stay                      keeps this cluster running
  build/cardea console --router $address  asks by hand, with completion and history
  ws://$address/gremlin             for any TinkerPop driver; HTTP POST at the same address
  README.md                                    a tour of five minutes
TEXT

if [ "$stay" = yes ]; then
    printf '\nRunning; Ctrl-C ends it.\n'
    wait "$server"
fi
