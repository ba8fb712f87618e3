#!/usr/bin/env python3
"""Checks verdicts of `paring check --cases` with an SMT solver: no PASS that is satisfiable, no FAIL that is not.

    pip install z3-solver            # brings the program `z3`; Debian's cvc5 does as well
    python3 scripts/smt_check.py --paring target/release/paring [--pairs CASES.jsonl] [--count 500] [--seed 1]

Without --pairs it makes pairs from the seed. This is a second reading of AWS's rules that shares nothing with the
prover: it turns both policies into one SMT-LIB script that asks for a request which the new policy allows and the old one
does not. A pair it has no encoding for (a variable between wildcards, a key compared as two kinds of value) is counted,
never taken as agreement. Exits 1 on a disagreement, and where fewer than --need pairs were answered by both.
"""
import argparse, ipaddress, json, random, re, shutil, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

class NotEncoded(Exception):
    pass

def text(s):
    return '"' + "".join('""' if c == '"' else c if 32 <= ord(c) < 127 and c != "\\" else f"\\u{{{ord(c):x}}}" for c in s) + '"'

def join(op, parts, empty):
    parts = list(parts)
    return empty if not parts else parts[0] if len(parts) == 1 else f"({op} {' '.join(parts)})"

def all_of(parts): return join("and", parts, "true")
def any_of(parts): return join("or", parts, "false")
def listed(x): return x if isinstance(x, list) else [x]

NO_COLON = f'(re.inter re.allchar (re.comp (str.to_re ":")))'
VARIABLE = re.compile(r"\$\{([^}]*)\}")

def regex(pieces, colon_free, fold=False):
    """An SMT regular expression of characters, `*` and `?`, the wildcards within a segment or not."""
    out = []
    for kind, c in pieces:
        one = NO_COLON if colon_free else "re.allchar"
        if kind == "wild":
            out.append(f"(re.* {one})" if c == "*" else one)
        elif fold and c.isascii() and c.isalpha():
            out.append(f"(re.union (str.to_re {text(c.lower())}) (str.to_re {text(c.upper())}))")
        else:
            out.append(f"(str.to_re {text(c)})")
    return join("re.++", out, '(str.to_re "")')

class Script:
    """The declarations a script needs, found while the policies are read."""
    def __init__(self):
        self.kinds, self.sets, self.atoms, self.lines = {}, set(), {}, []

    def key(self, name, kind):
        name = name.lower()
        if self.kinds.setdefault(name, kind) != kind:
            raise NotEncoded(f"{name} is compared as two kinds of value")
        return name

    def value(self, name, n=0): return f"|{name}#{n}|"
    def present(self, name, n=0): return f"|{name}?{n}|"
    def width(self, name): return self.atoms.get(name, 0) + 1 if name in self.sets else 1
    def absent(self, name): return all_of(f"(not {self.present(name, n)})" for n in range(self.width(name)))

    # Texts ------------------------------------------------------------------------------------------------------
    def pieces(self, pattern, wild, variables):
        """Characters, wildcards and variables."""
        out, at = [], 0
        while at < len(pattern):
            found = VARIABLE.match(pattern, at) if variables else None
            if found:
                body = found.group(1)
                if body in ("*", "?", "$"):
                    out.append(("char", body))
                elif re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9:/._-]+(, '[^'$]*')?", body):
                    out.append(("var", body))
                else:
                    raise NotEncoded(f"variable {body}")
                at = found.end()
            else:
                c = pattern[at]
                out.append(("wild" if wild and c in "*?" else "char", c))
                at += 1
        return out

    def matches(self, subject, pattern, wild=True, fold=False, arn=False, variables=False):
        pieces = self.pieces(pattern, wild, variables)
        if arn:
            return self.arn_matches(subject, pattern, pieces)
        if any(kind == "var" for kind, _ in pieces):
            if fold:
                raise NotEncoded("a variable without regard to case")
            return self.with_variable(subject, pieces)
        return f"(str.in_re {subject} {regex(pieces, False, fold)})"

    def arn_matches(self, subject, pattern, pieces):
        if pattern == "*" or pattern.strip("*") == "" and pattern:
            return "true"
        segments, current = [[]], 0
        for piece in pieces:
            if piece == ("char", ":") and current < 5:
                segments.append([])
                current += 1
            else:
                segments[-1].append(piece)
        if len(segments) < 6:
            if not pattern.endswith("*"):
                raise NotEncoded("a short ARN pattern")
            if any(kind == "var" for kind, _ in pieces):
                raise NotEncoded("a variable in a short ARN pattern")
            while len(segments) < 6:
                segments.append([("wild", "*")])
        if any(kind == "var" for s in segments[:5] for kind, _ in s):
            raise NotEncoded("a variable in an early segment")
        head = [regex(s, True) + ' (str.to_re ":")' for s in segments[:5]]
        last = segments[5]
        if any(kind == "var" for kind, _ in last):
            if any(kind == "wild" for s in segments[:5] for kind, _ in s):
                raise NotEncoded("a wildcard before a variable")
            return self.with_variable(subject, [p for s in segments[:5] for p in s + [("char", ":")]] + last)
        return f"(str.in_re {subject} (re.++ {' '.join(head)} {regex(last, False)}))"

    def with_variable(self, subject, pieces):
        """Equal to, beginning with, ending in or holding a text that has variables in it."""
        first, last = pieces[0] == ("wild", "*"), pieces[-1] == ("wild", "*")
        inner = pieces[1 if first else 0:len(pieces) - (1 if last else 0)]
        if any(kind == "wild" for kind, _ in inner):
            raise NotEncoded("a variable between wildcards")
        parts, there = [], []
        for kind, body in inner:
            if kind == "char":
                parts.append(text(body))
                continue
            name, _, default = body.partition(",")
            name = self.key(name.strip(), "text")
            if name in self.sets:
                raise NotEncoded("a variable of a key with several values")
            if default:
                parts.append(f"(ite {self.absent(name)} {text(default.strip()[1:-1])} {self.value(name)})")
            else:
                there.append(self.present(name))
                parts.append(self.value(name))
        whole = join("str.++", parts, '""')
        test = {(False, False): f"(= {subject} {whole})", (False, True): f"(str.prefixof {whole} {subject})",
                (True, False): f"(str.suffixof {whole} {subject})", (True, True): f"(str.contains {subject} {whole})"}
        return all_of(there + [test[first, last]])

    # Conditions -------------------------------------------------------------------------------------------------
    OPERATORS = {"String": "text", "Arn": "text", "Bool": "text", "Numeric": "number", "Date": "date",
                 "IpAddress": "address", "NotIpAddress": "address"}

    @staticmethod
    def split(operator):
        quantifier, _, rest = operator.rpartition(":")
        if_exists = rest.endswith("IfExists")
        return quantifier, rest.removesuffix("IfExists"), if_exists

    def note(self, policy):
        """Which keys are sets, and by how many conditions: as many values are enough."""
        for statement in listed(policy.get("Statement", [])):
            for operator, block in statement.get("Condition", {}).items():
                quantifier, name, _ = self.split(operator)
                for key in block:
                    if quantifier:
                        self.sets.add(key.lower())
                        self.atoms[key.lower()] = self.atoms.get(key.lower(), 0) + 1
                    elif name != "Null":
                        self.atoms.setdefault(key.lower(), 0)
        for statement in listed(policy.get("Statement", [])):
            for operator, block in statement.get("Condition", {}).items():
                quantifier, name, _ = self.split(operator)
                if not quantifier and name != "Null" and any(key.lower() in self.sets for key in block):
                    raise NotEncoded("a key is compared with and without set operators")

    def condition(self, operator, key, values, variables):
        quantifier, name, if_exists = self.split(operator)
        values = [str(v).lower() if isinstance(v, bool) else str(v) for v in listed(values)]
        if name == "Null":
            key = key.lower()
            self.kinds.setdefault(key, "text")
            absent = self.absent(key)
            return any_of(([absent] if "true" in map(str.lower, values) else []) +
                          ([f"(not {absent})"] if "false" in map(str.lower, values) else []))
        kind = next((k for prefix, k in self.OPERATORS.items() if name.startswith(prefix)), None)
        if kind is None:
            raise NotEncoded(f"operator {operator}")
        key = self.key(key, kind)
        negated = "Not" in name
        def holds(n):
            hit = any_of(self.test(self.value(key, n), name, v, variables) for v in values)
            return f"(not {hit})" if negated else hit
        absent = self.absent(key)
        each = [(self.present(key, n), holds(n)) for n in range(self.width(key))]
        if quantifier == "ForAllValues":
            return all_of(f"(=> {there} {hit})" for there, hit in each)
        if quantifier == "ForAnyValue":
            if if_exists:
                raise NotEncoded("ForAnyValue with IfExists")
            return any_of(f"(and {there} {hit})" for there, hit in each)
        (there, hit), = each
        return f"(or (not {there}) {hit})" if negated or if_exists else f"(and {there} {hit})"

    def test(self, subject, name, value, variables):
        name = name.replace("Not", "")
        if name == "Bool":
            if value.lower() not in ("true", "false"):
                raise NotEncoded("no boolean")
            return self.matches(subject, value, wild=False, fold=True)
        if name == "StringEquals": return self.matches(subject, value, wild=False, variables=variables)
        if name == "StringEqualsIgnoreCase":
            if not value.isascii(): raise NotEncoded("letters beyond ASCII")
            return self.matches(subject, value, wild=False, fold=True, variables=variables)
        if name == "StringLike": return self.matches(subject, value, variables=variables)
        if name.startswith("Arn"): return self.matches(subject, value, arn=True, variables=variables)
        if name == "IpAddress": return self.address(subject, value)
        point = self.number(value) if name.startswith("Numeric") else self.moment(value)
        operator = {"Equals": "=", "LessThan": "<", "LessThanEquals": "<=", "GreaterThan": ">", "GreaterThanEquals": ">="}
        return f"({operator[name.removeprefix('Numeric').removeprefix('Date')]} {subject} {point})"

    @staticmethod
    def number(value):
        if not re.fullmatch(r"[-+]?\d{1,18}(\.\d{1,9})?", value):
            raise NotEncoded("a number of another form")
        sign, digits = value.startswith("-"), value.lstrip("+-")
        digits = digits if "." in digits else digits + ".0"
        return f"(- {digits})" if sign else digits

    def moment(self, value):
        if re.fullmatch(r"\d{5,}|\d{1,3}", value):
            return self.number(value)
        try:
            when = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError as error:
            raise NotEncoded(str(error)) from error
        seconds = (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
        return self.number(str(int(seconds))) if seconds == int(seconds) else self.number(f"{seconds:.6f}")

    @staticmethod
    def address(subject, value):
        """Addresses are 129 bits: the family, then the address."""
        try:
            block = ipaddress.ip_network(value.strip(), strict=False)
        except ValueError as error:
            raise NotEncoded(str(error)) from error
        shift = (1 << 128) if block.version == 6 else 0
        low, high = (shift + int(block.network_address), shift + int(block.broadcast_address))
        return f"(and (bvule (_ bv{low} 129) {subject}) (bvule {subject} (_ bv{high} 129)))"

    # Statements -------------------------------------------------------------------------------------------------
    def statement(self, statement, variables):
        known = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"}
        if set(statement) - known or statement.get("Effect") not in ("Allow", "Deny"):
            raise NotEncoded("an element of another name")
        parts = []
        for name in ("Action", "NotAction"):
            if name in statement:
                for action in listed(statement[name]):
                    if action != "*" and not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action) and action != "*:*":
                        raise NotEncoded(f"action {action}")
                hit = any_of("true" if a in ("*", "*:*") else self.matches("action", a.lower()) for a in listed(statement[name]))
                parts.append(hit if name == "Action" else f"(not {hit})")
        for name in ("Resource", "NotResource"):
            if name in statement:
                hit = any_of(self.matches("resource", r, arn=True, variables=variables) for r in listed(statement[name]))
                parts.append(hit if name == "Resource" else f"(not {hit})")
        for name in ("Principal", "NotPrincipal"):
            if name in statement:
                hit = self.principal(statement[name])
                parts.append(hit if name == "Principal" else f"(not {hit})")
        for operator, block in statement.get("Condition", {}).items():
            parts += [self.condition(operator, key, values, variables) for key, values in block.items()]
        return all_of(parts)

    def principal(self, element):
        if element == "*":
            return "true"
        hits = []
        for kind, names in element.items():
            for name in listed(names):
                account = re.fullmatch(r"(?:arn:[^:]+:iam::)?(\d{12})(?::root)?", name)
                if kind == "AWS" and name == "*":
                    hits.append("true")
                elif kind == "AWS" and account:
                    hits.append(self.matches("principal", f"aws:arn:*:*::{account.group(1)}:*", arn=True))
                elif kind == "AWS" and re.fullmatch(r"arn:aws:iam::\d{12}:(user|role)/[\w+=,.@/-]+", name):
                    hits.append(f"(= principal {text('aws:' + name)})")
                    role = re.fullmatch(r"arn:aws:iam::(\d{12}):role/(?:.*/)?([^/]+)", name)
                    if role:
                        session = f"aws:arn:aws:sts::{role.group(1)}:assumed-role/{role.group(2)}/"
                        hits.append(f"(str.prefixof {text(session)} principal)")
                elif kind == "Service":
                    hits.append(f"(= principal {text('service:' + name)})")
                elif kind == "Federated":
                    hits.append(self.matches("principal", "federated:" + name))
                else:
                    raise NotEncoded(f"principal {kind} {name}")
        return any_of(hits)

    def allows(self, policy):
        variables = policy.get("Version") == "2012-10-17"
        if set(policy) - {"Version", "Id", "Statement"}:
            raise NotEncoded("an element of another name")
        statements = listed(policy.get("Statement", []))
        hits = {e: any_of(self.statement(s, variables) for s in statements if s.get("Effect") == e) for e in ("Allow", "Deny")}
        if any(s.get("Effect") not in hits for s in statements):
            raise NotEncoded("an effect of another name")
        return f"(and {hits['Allow']} (not {hits['Deny']}))"

def script(new, old):
    s = Script()
    s.note({"Statement": listed(new.get("Statement", [])) + listed(old.get("Statement", []))})
    asked = [f"(assert {s.allows(new)})", f"(assert (not {s.allows(old)}))"]
    # What requests there are: actions without capitals, resources `*` or of six segments, principals of four kinds.
    some = "(re.+ re.allchar)"
    part, many = f"(re.+ {NO_COLON})", f"(re.* {NO_COLON})"
    colon = '(str.to_re ":")'
    domain = [
        f'(str.in_re action (re.++ {some} {colon} {some}))',
        '(str.in_re action (re.* (re.union (re.range " " "@") (re.range "[" "~"))))',
        f'(or (= resource "*") (str.in_re resource (re.++ (str.to_re "arn") {colon} {part} {colon} {part} {colon} {many} {colon} {many} {colon} {some})))',
        '(or ' + ' '.join(f'(str.in_re principal (re.++ (str.to_re {text(p)}) {some}{rest}))' for p, rest in
            (("aws:arn:aws:iam::", f" {colon} {some}"), ("aws:arn:aws:sts::", f" {colon} {some}"), ("service:", ""), ("federated:", ""))) + ')',
    ]
    sorts = {"text": "String", "number": "Real", "date": "Real", "address": "(_ BitVec 129)"}
    declared = ["(declare-const action String)", "(declare-const resource String)", "(declare-const principal String)"]
    for name, kind in sorted(s.kinds.items()):
        for n in range(s.width(name)):
            declared += [f"(declare-const {s.value(name, n)} {sorts[kind]})", f"(declare-const {s.present(name, n)} Bool)"]
            if kind == "address":
                # Of the lower family only 32 bits are addresses.
                domain.append(f"(or (bvuge {s.value(name, n)} (_ bv{1 << 128} 129)) (bvult {s.value(name, n)} (_ bv{1 << 32} 129)))")
    return "\n".join(["(set-logic ALL)"] + declared + [f"(assert {d})" for d in domain] + asked + ["(check-sat)"])

def solve(solver, smt, seconds):
    command = [solver, "-in", f"-T:{seconds}"] if "z3" in solver else [solver, "--lang=smt2", "--strings-exp", f"--tlimit={seconds * 1000}"]
    try:
        done = subprocess.run(command, input=smt, capture_output=True, text=True, timeout=seconds + 20)
    except subprocess.TimeoutExpired:
        return "unknown"
    answer = done.stdout.strip().splitlines()
    if answer and answer[0] in ("sat", "unsat", "unknown", "timeout"):
        return answer[0]
    raise SystemExit(f"the solver said: {done.stdout[:400]} {done.stderr[:400]}\n{smt[:2000]}")

# Pairs made from a seed ------------------------------------------------------------------------------------------
ACTIONS = ["s3:GetObject", "s3:Get*", "s3:*", "*", "s3:PutObject", "s3:?utObject", "S3:getobject", "sqs:*", "s3:*Object", "ec2:Describe*"]
RESOURCES = ["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/x", "arn:aws:s3:::*", "arn:aws:s3:::?/x*", "arn:aws:s3:::b/${aws:username}",
             "arn:aws:s3:::b/${aws:username}/*", "arn:aws:sqs:*:111122223333:q*", "arn:aws:sqs:eu-west-1:*:q", "arn:aws:*:*:*:*", "arn:aws:s3:::b/${*}"]
CONDITIONS = [("StringEquals", "k:t", "a"), ("StringEquals", "k:t", ["a", "b"]), ("StringNotEquals", "k:t", ["a", "c"]),
              ("StringLike", "k:t", ["a*", "*b"]), ("StringNotLike", "k:t", "a?"), ("StringEqualsIgnoreCase", "k:t", "A"),
              ("StringEqualsIfExists", "k:t", "a"), ("StringNotEqualsIgnoreCase", "K:T", "b"), ("Null", "k:t", "true"), ("Null", "k:t", "false"),
              ("StringEquals", "k:t", "${aws:username}"), ("StringLike", "aws:username", "a*"), ("Null", "aws:username", "false"),
              ("NumericLessThan", "k:n", "5"), ("NumericLessThanEquals", "k:n", "5.5"), ("NumericNotEquals", "k:n", "3"),
              ("NumericGreaterThanEqualsIfExists", "k:n", "3"), ("NumericEquals", "k:n", ["4", "5.0"]),
              ("DateLessThan", "k:d", "2024-01-01T00:00:00Z"), ("DateGreaterThan", "k:d", "2023-12-31T23:00:00-01:00"),
              ("IpAddress", "k:i", "10.0.0.0/8"), ("IpAddress", "k:i", ["10.0.0.0/9", "10.128.0.0/9"]), ("NotIpAddress", "k:i", "10.1.0.0/16"),
              ("IpAddress", "k:i", "2001:db8::/32"), ("Bool", "k:b", "true"), ("BoolIfExists", "k:b", "false"), ("Bool", "k:b", ["true", "false"]),
              ("ForAllValues:StringEquals", "k:s", ["a", "b"]), ("ForAnyValue:StringEquals", "k:s", "a"), ("ForAnyValue:StringLike", "k:s", "b*"),
              ("ForAllValues:StringNotLike", "k:s", "a*"), ("Null", "k:s", "false"), ("ForAnyValue:StringNotEquals", "k:s", "b"),
              ("ArnLike", "k:a", "arn:aws:sns:*:1:t*"), ("ArnNotEquals", "k:a", "arn:aws:sns:eu:1:*"), ("StringLike", "k:a", "arn:aws:sns:*:t")]
PRINCIPALS = ["*", {"AWS": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:role/r"}, {"AWS": ["arn:aws:iam::111122223333:user/u", "arn:aws:iam::444455556666:root"]},
              {"Service": "lambda.amazonaws.com"}, {"Federated": "*"}]

def policy(rng, principals):
    statements = []
    for _ in range(rng.randint(1, 3)):
        def some(of): return rng.sample(of, rng.randint(1, 2))
        statement = {"Effect": rng.choice(["Allow", "Allow", "Deny"]), rng.choice(["Action"] * 4 + ["NotAction"]): some(ACTIONS),
                     rng.choice(["Resource"] * 4 + ["NotResource"]): some(RESOURCES)}
        if principals:
            statement[rng.choice(["Principal"] * 6 + ["NotPrincipal"])] = rng.choice(PRINCIPALS[1:])
        conditions = {}
        for operator, key, value in rng.sample(CONDITIONS, rng.choice([0, 0, 1, 1, 2])):
            conditions.setdefault(operator, {})[key] = value
        if conditions:
            statement["Condition"] = conditions
        statements.append(statement)
    return {"Version": rng.choice(["2012-10-17"] * 5 + ["2008-10-17"]), "Statement": statements}

def made(count, seed):
    rng = random.Random(seed)
    for n in range(count):
        principals = rng.random() < 0.2
        old, new = policy(rng, principals), policy(rng, principals)
        if rng.random() < 0.7:
            # A version of the old one: something added, dropped or tightened.
            new = json.loads(json.dumps(old))
            for _ in range(rng.randint(1, 2)):
                s = rng.choice(new["Statement"])
                operator, key, value = rng.choice(CONDITIONS)
                what = rng.random()
                if what < 0.35: s.setdefault("Condition", {}).setdefault(operator, {})[key] = value
                elif what < 0.5: s.pop("Condition", None)
                elif what < 0.7: s["Resource" if "Resource" in s else "NotResource"] = rng.sample(RESOURCES, rng.randint(1, 2))
                elif what < 0.9: s["Action" if "Action" in s else "NotAction"] = rng.sample(ACTIONS, rng.randint(1, 2))
                else: new["Statement"] = new["Statement"] + [policy(rng, principals)["Statement"][0]]
        yield {"id": f"seed-{seed}/{n}", "check": "no_new_access", "new_policy": new, "existing_policy": old}

def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--paring", default="paring")
    arguments.add_argument("--solver", default=shutil.which("z3") or shutil.which("cvc5") or "z3")
    arguments.add_argument("--pairs", help="JSON Lines with new_policy and existing_policy")
    arguments.add_argument("--count", type=int, default=600)
    arguments.add_argument("--need", type=int, default=500)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--seconds", type=int, default=6, help="for one pair")
    arguments.add_argument("--jobs", type=int, default=2)
    given = arguments.parse_args()
    if given.pairs:
        with open(given.pairs, encoding="utf-8") as file:
            cases = [case for line in file if (case := json.loads(line))["check"] == "no_new_access"][:given.count]
    else:
        cases = list(made(given.count, given.seed))
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for case in cases:
            print(json.dumps({k: case[k] for k in ("id", "check", "new_policy", "existing_policy")}), file=file)
        file.flush()
        said = subprocess.run([given.paring, "check", "--cases", file.name], capture_output=True, text=True)
    verdicts = {line["id"]: line for line in map(json.loads, said.stdout.splitlines())}
    if len(verdicts) != len(cases):
        raise SystemExit(f"{len(cases)} cases, {len(verdicts)} verdicts: {said.stderr}")

    def one(case):
        try:
            return solve(given.solver, script(case["new_policy"], case["existing_policy"]), given.seconds)
        except NotEncoded as error:
            return f"not encoded: {error}"

    with ThreadPoolExecutor(given.jobs) as pool:
        answers = list(pool.map(one, cases))
    agree, wrong, counts = 0, [], {}
    for case, answer in zip(cases, answers):
        ours = verdicts[case["id"]]["result"]
        counts[ours, answer.split(":")[0]] = counts.get((ours, answer.split(":")[0]), 0) + 1
        if (ours, answer) in (("PASS", "unsat"), ("FAIL", "sat")):
            agree += 1
        elif (ours, answer) in (("PASS", "sat"), ("FAIL", "unsat")):
            wrong.append(case["id"])
            print(f"DISAGREE {case['id']}: we say {ours}, {given.solver} says {answer}\n{json.dumps(verdicts[case['id']])}\n"
                  f"  new {json.dumps(case['new_policy'])}\n  old {json.dumps(case['existing_policy'])}")
    for (ours, answer), count in sorted(counts.items()):
        print(f"{count:5}  we say {ours}, the solver {answer}")
    print(f"{len(cases)} pairs, {agree} agree, {len(wrong)} disagree")
    sys.exit(1 if wrong or agree < given.need else 0)

if __name__ == "__main__":
    main()
