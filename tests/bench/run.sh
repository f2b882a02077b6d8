#!/bin/sh
# The bench: one JSON line a measure. Builds nothing: make a release build first.
#
#   tests/bench/run.sh [--smoke] [--scale N] [--only load,point,hop,write,start] [--seed N]
#
# CARDEA_BUILD is the build folder (default: build). Nothing is asserted about time.
set -eu
exec python3 "$(dirname "$0")/bench.py" "$@"
