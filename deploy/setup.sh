#!/bin/sh
# Installs what building and testing Cardea needs, on Debian 12 or 13, as root or with sudo.
#
#   sh deploy/setup.sh            to build and run
#   sh deploy/setup.sh --tests    also what tests/run.sh needs
#
# May be run again: what is there stays. Debian 12 has libraft 0.15, which loses entries of older terms;
# 0.22 comes from backports, from the same mirror as the machine's own packages and pinned to libraft alone.
set -eu

build="gcc g++ meson ninja-build pkg-config re2c bison libzmq3-dev libsqlite3-dev libconfig-dev
 libssl-dev libsimdjson-dev libgmp-dev libpcre2-dev libunistring-dev uuid-dev
 libexpat1-dev libcsv-dev libedit-dev libxxhash-dev uthash-dev libstb-dev libsystemd-dev libcap-dev"
tests="check clang clang-format libclang-rt-dev python3 python3-venv nodejs npm ca-certificates curl sqlite3"

say() {
    printf 'setup: %s\n' "$*" >&2
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        command -v sudo >/dev/null 2>&1 || {
            say "need root for: $*"
            say "hint: run as root, or install sudo"
            exit 1
        }
        sudo "$@"
    fi
}

have() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

# Packages of the list that are not installed; a command that is there by other means counts.
missing() {
    for package in "$@"; do
        case $package in
        nodejs) command -v node >/dev/null 2>&1 && continue ;;
        npm) command -v npm >/dev/null 2>&1 && continue ;;
        python3) command -v python3 >/dev/null 2>&1 && continue ;;
        esac
        have "$package" || printf '%s ' "$package"
    done
}

# The mirror that this machine's own Debian entries name for the given suite.
mirror_of() {
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        awk -v suite="$1" '
            function flush() { if (uris != "" && index(" " suites " ", " " suite " ")) { print uris; print key; exit } }
            /^[ \t]*$/ { flush(); uris = suites = key = ""; next }
            /^URIs:/ { uris = $2 }
            /^Suites:/ { suites = $0; sub(/^Suites:[ \t]*/, "", suites) }
            /^Signed-By:/ { key = $2 }
            END { flush() }' "$file"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        awk -v suite="$1" '
            $1 == "deb" {
                key = ""; at = 2
                if ($2 ~ /^\[/) {
                    while (at <= NF && $at !~ /\]$/) { at++ }
                    options = $0; sub(/^[^[]*\[/, "", options); sub(/\].*/, "", options)
                    if (match(options, /signed-by=[^ ]+/)) { key = substr(options, RSTART + 10, RLENGTH - 10) }
                    at++
                }
                if ($(at + 1) == suite) { print $at; print key; exit }
            }' "$file"
    done
}

raft_is_new() {
    dpkg --compare-versions "$(dpkg-query -W -f '${Version}' libraft-dev 2>/dev/null || echo 0)" ge 0.22
}

add_backports() {
    release=$1
    if grep -rqs "^[^#]*$release-backports" /etc/apt/sources.list /etc/apt/sources.list.d; then
        return
    fi
    found=$(mirror_of "$release" | head -n 2)
    mirror=$(printf '%s\n' "$found" | sed -n 1p)
    key=$(printf '%s\n' "$found" | sed -n 2p)
    [ -n "$mirror" ] || {
        say "no Debian entry for $release in /etc/apt: cannot derive the backports source"
        exit 1
    }
    say "adding $release-backports of the machine's own mirror, for libraft alone"
    {
        printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n' "$mirror" "$release"
        [ -z "$key" ] || printf 'Signed-By: %s\n' "$key"
    } | as_root tee /etc/apt/sources.list.d/cardea-libraft.sources >/dev/null
    {
        printf 'Package: *\nPin: release n=%s-backports\nPin-Priority: -1\n\n' "$release"
        printf 'Package: libraft*\nPin: release n=%s-backports\nPin-Priority: 500\n' "$release"
    } | as_root tee /etc/apt/preferences.d/cardea-libraft >/dev/null
}

main() {
    [ -r /etc/os-release ] || {
        say "not a Debian machine: /etc/os-release is missing"
        exit 1
    }
    release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    list=$build
    [ "${1:-}" != "--tests" ] || list="$build $tests"
    # shellcheck disable=SC2086
    need=$(missing $list)
    if [ -z "$need" ] && raft_is_new; then
        return
    fi
    export DEBIAN_FRONTEND=noninteractive
    if ! raft_is_new && [ "$release" = bookworm ]; then
        add_backports "$release"
    fi
    say "installing: ${need}libraft-dev"
    as_root apt-get update -q >&2
    # shellcheck disable=SC2086
    as_root apt-get install -q -y --no-install-recommends $need libraft-dev >&2
    raft_is_new || {
        say "libraft >= 0.22 is needed, this release has $(dpkg-query -W -f '${Version}' libraft-dev)"
        exit 1
    }
}

main "$@"
