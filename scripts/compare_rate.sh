#!/usr/bin/env bash
# Compares decisions per CPU second, policy parsing included, with @cloud-copilot/iam-simulate on the same cases.
#
# usage: scripts/compare_rate.sh CASES.jsonl [ROUNDS]
#
# iam-simulate is AGPL: it is installed into a temporary folder, run as a process of its own, and never linked or
# shipped. Needs node, npm and cargo.
set -euo pipefail

cases=$(realpath "${1:?usage: scripts/compare_rate.sh CASES.jsonl [ROUNDS]}")
rounds=${2:-40}
version=0.1.173
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

(cd "$folder" && npm init --yes >/dev/null 2>&1 && npm install --silent --no-fund --no-audit "@cloud-copilot/iam-simulate@$version" >/dev/null 2>&1)

cat > "$folder/rate.mjs" <<'JS'
import { readFileSync } from 'node:fs'
import { anonymousPrincipal, runSimulation } from '@cloud-copilot/iam-simulate'

const lines = readFileSync(process.argv[2], 'utf8').split('\n').filter((line) => line.trim() !== '')
const named = (policies) => (policies ?? []).map((policy, index) => ({ name: `p${index}`, policy }))
const levels = (list) => (list ?? []).map((level, index) => ({ orgIdentifier: `level${index}`, policies: named(level) }))

// Each line is parsed within the measurement, as our own program parses it.
function simulation(line) {
  const c = JSON.parse(line)
  const { principal, action, resource, context } = c.request
  return {
    request: {
      principal: principal === 'anonymous' ? anonymousPrincipal : principal,
      action,
      resource: { resource: resource.arn, accountId: resource.account },
      contextVariables: context
    },
    identityPolicies: named(c.identity_policies),
    serviceControlPolicies: levels(c.scps),
    resourceControlPolicies: levels(c.rcps),
    resourcePolicy: c.resource_policy ?? undefined,
    permissionBoundaryPolicies: c.boundary_policies?.length ? named(c.boundary_policies) : undefined,
    sessionPolicy: c.session_policies?.[0],
    vpcEndpointPolicies: c.vpc_endpoint_policies?.length ? named(c.vpc_endpoint_policies) : undefined
  }
}

async function run(lines) {
  let errors = 0
  for (const line of lines) {
    const result = await runSimulation(simulation(line), {}).catch(() => ({ resultType: 'error' }))
    if (result.resultType === 'error') errors += 1
  }
  return errors
}

await run(lines.slice(0, 1000))
const before = process.cpuUsage()
const errors = await run(lines)
const used = process.cpuUsage(before)
const seconds = (used.user + used.system) / 1e6
console.error(`iam-simulate: ${lines.length} cases, ${errors} refused, ${seconds.toFixed(2)} CPU s`)
console.log((lines.length / seconds).toFixed(0))
JS

(cd "$root" && cargo build --quiet --release -p iam-evaluate --example rate)
rate="${CARGO_TARGET_DIR:-$root/target}/release/examples/rate"
TIMEFORMAT='%U %S'

# In turn, so that both meet the same machine; what other work does to it evens out in the median.
for pair in $(seq "${PAIRS:-7}"); do
  theirs=$(cd "$folder" && node rate.mjs "$cases" 2> "$folder/refused")
  { time "$rate" "$cases" "$rounds" > "$folder/decisions" 2> /dev/null; } 2> "$folder/cpu"
  ours=$(awk -v n="$(cat "$folder/decisions")" '{ printf "%.0f", n / ($1 + $2) }' "$folder/cpu")
  awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.0f %d %d\n", a / b, a, b }' | tee -a "$folder/ratios" |
    awk -v p="$pair" '{ print "pair " p ": " $2 " against " $3 " decisions per CPU second, " $1 " times" }'
done
cat "$folder/refused"
sort -n "$folder/ratios" | awk '{ r[NR] = $1 } END { print "ratio: median " r[int((NR + 1) / 2)] ", " r[1] " to " r[NR] }'
