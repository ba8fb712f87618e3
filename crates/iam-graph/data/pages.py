#!/usr/bin/env python3
"""Writes docs/techniques/*.md from techniques.json: run it from the workspace root after changing the catalogue."""
import json, os, sys

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "..", "..", "docs", "techniques")
ON = {"self": "the start itself", "role": "the target role", "user": "the target user", "group": "the group",
      "policy": "a customer managed policy attached to whoever gains", "boundary": "the start's boundary, a customer managed policy", "res": "the existing resource",
      "any": "anything the caller names", "new": "one new thing the caller names", "star": "`*`"}
GAINS = {"rewrite-own-policy": "The start writes its own permissions, within its boundary and the service control policies.",
         "join-target-group": "The start has the group's policies beside its own.",
         "act-as-target": "The start acts as the target.",
         "rewrite-then-act-as-target": "The start writes the target's permissions, then acts as the target.",
         "lift-own-boundary": "The start has everything its policies grant, its boundary gone.",
         "lift-boundary-then-act-as-target": "The start acts as the target, the target's boundary gone.",
         "drop-own-deny": "The start has everything its policies grant, the deny gone.",
         "create-admin-role": "The start has a new role that may do everything the service control policies leave.",
         "org-admin-via-identity-center": "The start has a permission set of its own choosing in the organisation's accounts.",
         "service-grants": "The service gives the start more permissions."}
WHEN = {"start-is-role": "the start is a role", "start-is-user": "the start is a user", "start-in-group": "the start is in a group",
        "start-not-in-group": "the start is not in the group", "start-bounded": "the start's boundary takes something away",
        "target-bounded": "the target's boundary takes something away", "target-trusts-start": "the target trusts the start",
        "trusts-outside-account": "the target trusts an account outside the snapshot and asks for no external id",
        "trusts-everyone": "the target trusts everyone", "target-key-slot": "the target has fewer than two access keys",
        "target-keys-full": "the target has two access keys", "target-without-password": "the target has no console password",
        "target-with-password": "the target has a console password",
        "version-slot": "the policy has fewer than five versions, or the start may delete one",
        "older-version": "a version of the policy that is not in force grants more",
        "managed-deny": "a managed policy with a deny is attached to the start", "inline-deny": "an inline policy with a deny is on the start",
        "group-managed-deny": "a managed policy with a deny is attached to a group of the start's",
        "group-inline-deny": "an inline policy with a deny is on a group of the start's",
        "group-deny": "a group of the start's has a policy with a deny",
        "management-account": "the start is in the organisation's management account",
        "instance-profile": "an instance profile holds the target", "api:SsmManaged": "Systems Manager manages the instance",
        "api:AsgFollowsDefault": "an Auto Scaling group follows the template's default version"}


def page(t):
    lines = [f"# {t['id']}", "", " + ".join(f"`{r['action']}`" for r in t["requires"] if r.get("trust") != "start"), "",
             f"Category: {t['category']}.", "", "## What it needs", ""]
    for r in t["requires"]:
        carried = "".join(f", with `{k}` = {v}" for k, v in r.get("with", {}).items())
        if r.get("trust") == "start":
            lines.append(f"- `{r['action']}` on {ON[r['on']]}, which a trust policy naming the start allows: it must not be denied")
        else:
            lines.append(f"- `{r['action']}` on {ON[r['on']]}{carried}")
    if t.get("trusts"):
        lines.append("- the target trusts " + " or ".join(t["trusts"]))
    if "resource" in t:
        lines.append(f"- a resource of the kind {t['resource']['kind']}" + (" that runs as the target" if t["resource"]["runs_as"] == "target" else ""))
    lines += [f"- {WHEN[w]}" for w in t.get("when", [])]
    if t.get("assumes"):
        lines += ["", "Taken as given, since a snapshot does not show it: " + "; ".join(t["assumes"]) + "."]
    lines += ["", "## What it gives", "", GAINS[t["gains"]]]
    if t.get("variant_of"):
        lines += ["", f"A longer form of [{t['variant_of']}]({t['variant_of']}.md)."]
    if t.get("note"):
        lines += ["", f"Note: {t['note']}."]
    lines += ["", "## Who else knows it", "", (", ".join(t["known_by"]) if t.get("known_by") else "No other tool that was read.") + ""]
    return "\n".join(lines) + "\n"


def main():
    techniques = json.load(open(os.path.join(here, "techniques.json")))["techniques"]
    os.makedirs(out, exist_ok=True)
    for t in techniques:
        with open(os.path.join(out, t["id"] + ".md"), "w") as f:
            f.write(page(t))
    index = ["# Techniques", "", f"The {len(techniques)} ways to gain permissions that `paring audit` searches for, by public id. Each is an entry of",
             "`crates/iam-graph/data/techniques.json`; these pages are written by `crates/iam-graph/data/pages.py`.", ""]
    index += [f"- [{t['id']}]({t['id']}.md): " + ", ".join(r["action"] for r in t["requires"] if r.get("trust") != "start") for t in techniques]
    with open(os.path.join(out, "README.md"), "w") as f:
        f.write("\n".join(index) + "\n")


if __name__ == "__main__":
    sys.exit(main())
