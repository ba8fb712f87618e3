#!/usr/bin/env bash
# Measures `paring usage` against inflating the same files, side by side, in CPU time (user and system).
#
# usage: scripts/usage_rate.sh FOLDER [ROUNDS]
#
# FOLDER holds CloudTrail logs (.json.gz) of some million events. Needs libdeflate-gzip (Debian: libdeflate-tools), GNU
# time and cargo. The bar: at most 1.5 times the inflation's CPU time plus 0.5 s; 64 MB with one thread, 96 MB with two;
# two threads 1.8 times as fast as one, on a machine that is otherwise idle.
set -euo pipefail

folder=$(realpath "${1:?usage: scripts/usage_rate.sh FOLDER [ROUNDS]}")
rounds=${2:-5}
root=$(cd "$(dirname "$0")/.." && pwd)
cargo build --quiet --release --manifest-path "$root/Cargo.toml" -p paring
paring="${CARGO_TARGET_DIR:-$root/target}/release/paring"
scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT

# wall, CPU and peak memory (MB) of a command whose output nobody reads
measure() {
  /usr/bin/time -o "$scratch" -f '%e %U %S %M' "$@" >/dev/null 2>&1
  awk '{ printf "%.2f %.2f %.0f", $1, $2 + $3, $4 / 1024 }' "$scratch"
}

inflate() { find "$1" -name '*.json.gz' -print0 | sort -z | xargs -0 libdeflate-gzip -dc; }
export -f inflate

printf '%5s | %12s | %27s | %27s | %5s | %7s | %7s\n' \
  round 'inflate CPU' '1 thread: wall, CPU, MB' '2 threads: wall, CPU, MB' ratio 'of bar' 'speedup'
for round in $(seq "$rounds"); do
  read -r _ floor _ <<<"$(measure bash -c 'inflate "$0"' "$folder")"
  one=$(measure "$paring" usage "$folder" --threads 1 --format json)
  two=$(measure "$paring" usage "$folder" --threads 2 --format json)
  awk -v round="$round" -v floor="$floor" -v one="$one" -v two="$two" 'BEGIN {
    split(one, a, " "); split(two, b, " ")
    printf "%5d | %11.2fs | %8.2fs %8.2fs %6dMB | %8.2fs %8.2fs %6dMB | %5.2f | %7.2f | %6.2fx\n",
      round, floor, a[1], a[2], a[3], b[1], b[2], b[3], a[2] / floor, a[2] / (1.5 * floor + 0.5), a[1] / b[1]
  }'
done
