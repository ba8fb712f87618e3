#!/usr/bin/env python3
"""Whether the engines agree: the reader, DuckDB and Spark over the same records, compared as usage logs.

  scripts/compare_engines.py --paring target/release/paring [--events 20000] [--logs FOLDER ...] [--spark 1 --spark 2]

Makes records of its own (--events), takes those of other folders beside them (--logs, any form), writes all as CloudTrail
does, reads them with `paring usage`, and then runs the statements of `paring usage sql`: with DuckDB, whose result is read
as CSV, JSON lines and Parquet (each compression, and the second version); and, with --spark N, with a standalone cluster of Spark on loopback of one master and N
worker processes, started and stopped here (Java 17). Every usage log must be the reader's, byte for byte, but for `files` and
`sources`, which say what was read. Python packages go into a virtual environment of their own. Exit 0: all agree.
"""

import argparse, gzip, json, os, pathlib, random, resource, shutil, socket, subprocess, sys, tempfile, time

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "paring" / "engines"


def python_with(packages):
    """The Python of a virtual environment that holds the packages."""
    python = CACHE / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", CACHE], check=True)
    missing = [p for p in packages if subprocess.run([python, "-c", f"import {p}"], capture_output=True).returncode]
    if missing:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *missing], check=True)
    return str(python)


def records(count, seed):
    """Records of all that the statement treats in a way of its own."""
    r = random.Random(seed)
    uuid = lambda: "%08x-%04x-4%03x-a%03x-%012x" % tuple(r.getrandbits(n) for n in (32, 16, 12, 12, 48))
    for number in range(count):
        account, region = r.choice(["111122223333", "444455556666"]), r.choice(["us-east-1", "eu-west-1"])
        role = r.randrange(40)
        arn = f"arn:aws:iam::{account}:role/{'service-role/' if role % 3 else ''}r{role}"
        session = r.choice([f"fn-{role}-{r.randrange(3)}", "botocore-session-%d" % r.getrandbits(30), "me@example.com",
                            "i-%017x" % r.getrandbits(60), str(r.getrandbits(40)), f"long{'x' * r.choice([59, 61])}"])
        identity = {"type": "AssumedRole", "principalId": "AROAEXAMPLE", "arn": f"arn:aws:sts::{account}:assumed-role/r{role}/{session}",
                    "accountId": account, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn}}}
        kind = r.random()
        if kind < .02:
            identity = {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
        elif kind < .04:
            identity = {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/u{r.randrange(5)}"}
        elif kind < .06:
            identity["inScopeOf"] = {"issuerType": "AWS::Lambda::Function",
                                     "credentialsIssuedTo": f"arn:aws:lambda:{region}:{account}:function:f{role}"}
        elif kind < .08:
            del identity["sessionContext"]
        elif kind < .10:
            del identity["type"]
        table, bucket, queue = f"orders-{r.randrange(4)}", f"bucket-{role}-{r.randrange(3)}", f"jobs-{r.randrange(3)}"
        key = f"in/{r.randrange(20)}/{r.getrandbits(20 if role % 2 else 4)} \u00e4\"{r.randrange(3)}\"*.json"
        source, name, parameters, resources = r.choice([
            ("s3", "GetObject", {"bucketName": bucket, "key": key, "Host": f"{bucket}.s3.amazonaws.com"},
             [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"}, {"accountId": account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}]),
            ("s3", "PutObject", {"bucketName": bucket, "key": key, "x-amz-acl": "private"}, None),
            ("s3", "ListObjects", {"bucketName": bucket, "list-type": "2", "prefix": key}, None),
            ("s3", "ListBuckets", None, None),
            ("dynamodb", "GetItem", {"tableName": table, "key": {"pk": str(number)}},
             [{"type": "AWS::DynamoDB::Table", "ARN": f"arn:aws:dynamodb:{region}:{account}:table/{table}"}]),
            ("dynamodb", "Query", {"tableName": table, "indexName": f"gsi{r.randrange(2)}", "keyConditionExpression": "a = b"}, None),
            ("dynamodb", "BatchGetItem", {"requestItems": {table: {}, "other": {}}}, None),
            ("sqs", "SendMessage", {"queueUrl": f"https://sqs.{region}.amazonaws.com/{account}/{queue}", "messageBody": str(number)}, None),
            ("kms", "Decrypt", {"encryptionContext": {"aws:s3:arn": f"arn:aws:s3:::{bucket}"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
             [{"accountId": account, "type": "AWS::KMS::Key", "ARN": f"arn:aws:kms:{region}:{account}:key/{role:08d}-0000-4000-8000-000000000000"}]),
            ("sts", "AssumeRole", {"roleArn": arn, "roleSessionName": f"s{number}", "durationSeconds": 900}, None),
            ("sts", "GetCallerIdentity", None, None),
            ("lambda", "Invoke", {"functionName": f"f{role}", "invocationType": "Event"}, None),
            ("lambda", "CreateFunction20150331", {"functionName": f"f{role}", "role": arn, "runtime": "python3.13"}, None),
            ("ec2", "RunInstances", {"instancesSet": {"items": [{"imageId": "ami-0123456789abcdef0", "minCount": 1}]}, "subnetId": "subnet-0123456789abcdef0"}, None),
            ("secretsmanager", "GetSecretValue", {"secretId": f"arn:aws:secretsmanager:{region}:{account}:secret:s{role}-AbCdEf"}, None),
            ("ssm", "GetParametersByPath", {"path": f"/app/{role}/", "recursive": True}, None),
            ("sqs", "NewThing", {"a": 1}, None),
        ])
        if kind > .95 and source == "kms":
            identity["invokedBy"] = "s3.amazonaws.com"
        record = {"eventVersion": "1.11", "userIdentity": identity,
                  "eventTime": "2026-11-%02dT%02d:%02d:%02dZ" % (1 + number * 30 // count, r.randrange(24), r.randrange(60), r.randrange(60)),
                  "eventSource": f"{source}.amazonaws.com", "eventName": name, "awsRegion": region, "requestParameters": parameters,
                  "responseElements": None, "eventID": uuid(), "readOnly": name.startswith(("Get", "List")), "eventType": "AwsApiCall",
                  "recipientAccountId": account}
        if resources:
            record["resources"] = resources
        if r.random() < .05:
            record["errorCode"] = r.choice(["AccessDenied", "Client.UnauthorizedOperation", "ThrottlingException", "ExpiredToken", "NoSuchKey"])
        if r.random() < .05:
            record["errorCode"], record["errorMessage"] = "ClientException", "User: x is not authorized to perform: y"
        if r.random() < .1:
            record["vpcEndpointId"] = f"vpce-{r.randrange(25)}"
        if r.random() < .01:
            record["eventType"] = "AwsServiceEvent"
        if r.random() < .01:
            del record[r.choice(["eventID", "recipientAccountId", "eventName"])]
        yield record
        if r.random() < .01:
            yield record


def found(value):
    """Records of a file of any form."""
    if isinstance(value, list):
        for item in value:
            yield from found(item)
    elif isinstance(value, dict):
        if "CloudTrailEvent" in value:
            yield from found(json.loads(value["CloudTrailEvent"]))
        elif isinstance(value.get("Records", value.get("Events")), list) and "eventName" not in value:
            yield from found(value.get("Records", value.get("Events")))
        elif value.keys() & {"eventName", "eventSource", "userIdentity"}:
            yield value


def read(path):
    data = path.read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig", "replace")
    try:
        return list(found(json.loads(text)))
    except ValueError:
        out = []
        for line in text.splitlines():
            try:
                out.extend(found(json.loads(line)))
            except ValueError:
                pass
        return out


def without_nulls(value):
    """An identity without members that are null: engines do not tell these from members that are not there."""
    return {k: without_nulls(v) for k, v in value.items() if v is not None} if isinstance(value, dict) else value


def write(folder, source):
    """Writes records as CloudTrail does, four thousand a file; how many."""
    total, file = 0, []
    def flush():
        if file:
            path = folder / f"{total:09}.json.gz"
            path.write_bytes(gzip.compress(json.dumps({"Records": file}, separators=(",", ":")).encode(), 1))
            file.clear()
    for record in source:
        file.append({k: without_nulls(v) if k == "userIdentity" else v for k, v in record.items() if v is not None})
        total += 1
        if len(file) == 4000:
            flush()
    flush()
    return total


def measured(command, **options):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode:
        sys.exit(f"{command[:3]} ended with {result.returncode}:\n{result.stderr.decode()[-4000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return result.stdout, f"{time.time() - start:.1f} s, {cpu:.1f} s CPU"


def usage(paring, path):
    """A usage log without what says which files were read."""
    log = json.loads(measured([paring, "usage", path, "--format", "json", "--quiet"])[0])
    return {key: value for key, value in log.items() if key not in ("files", "sources")}


def compare(name, log, expected, failures):
    if log == expected:
        print(f"ok    {name}: the same usage log")
        return
    failures.append(name)
    print(f"FAIL  {name}: another usage log")
    for key in expected.keys() | log.keys():
        if log.get(key) == expected.get(key):
            continue
        if key != "principals":
            print(f"      {key}: {str(log.get(key))[:300]} for {str(expected.get(key))[:300]}")
            continue
        roles = sorted(r for r in expected[key].keys() | log[key].keys() if log[key].get(r) != expected[key].get(r))
        print(f"      {len(roles)} roles differ, such as {roles[0]}")
        rows = lambda log: {json.dumps(row) for row in log[key].get(roles[0], {}).get("observations", [])}
        for sign, only in (("-", rows(expected) - rows(log)), ("+", rows(log) - rows(expected))):
            for row in sorted(only)[:3]:
                print(f"      {sign} {row[:600]}")


DUCKDB = """
import duckdb, sys
ddl, statement, out, threads = sys.argv[1:5]
base = duckdb.connect(config={"threads": int(threads)})
base.execute("SET enable_progress_bar = false")
base.execute(open(ddl).read())
base.execute(f"CREATE TABLE rows AS {open(statement).read()}")
base.execute(f"COPY rows TO '{out}/rows.csv' (HEADER)")
base.execute(f"COPY rows TO '{out}/rows.jsonl' (FORMAT json)")
for name, options in [("", ""), ("-zstd", ", COMPRESSION zstd"), ("-gzip", ", COMPRESSION gzip"), ("-v2", ", PARQUET_VERSION V2")]:
    base.execute(f"COPY rows TO '{out}/rows{name}.parquet' (FORMAT parquet{options})")
print(base.execute("SELECT count(*) FROM rows").fetchone()[0])
"""


def sql(paring, *arguments):
    return subprocess.run([paring, "usage", "sql", *arguments], check=True, capture_output=True, text=True).stdout


def grammar(options, failures):
    """Whether the statements of engines that cannot run here are of their grammar."""
    for dialect, table in (("athena", "cloudtrail"), ("cloudtrail-lake", "store")):
        text = sql(options.paring, "--dialect", dialect, "--table", table)
        parse = subprocess.run([python_with(["duckdb", "sqlglot"]), "-c", "import sqlglot, sys; sqlglot.parse_one(sys.stdin.read(), read='trino')"],
                               input=text, capture_output=True, text=True)
        print(f"{'FAIL' if parse.returncode else 'ok  '}  {dialect}: a statement of Trino's grammar {parse.stderr[-500:]}")
        failures.extend([dialect] if parse.returncode else [])


def with_duckdb(options, work, logs, expected, failures):
    python = python_with(["duckdb", "sqlglot"])
    out = work / "duckdb"
    out.mkdir()
    (work / "ddl.sql").write_text(sql(options.paring, "--dialect", "duckdb", "--ddl").replace("{path}", f"{logs}/*.json.gz"))
    (work / "statement.sql").write_text(sql(options.paring, "--dialect", "duckdb"))
    command = [python, "-c", DUCKDB, work / "ddl.sql", work / "statement.sql", out, "2"]
    rows, cost = measured(command)
    print(f"      DuckDB: {rows.decode().strip()} rows, {cost}")
    for path in sorted(out.iterdir()):
        compare(f"DuckDB, {path.name}", usage(options.paring, path), expected, failures)


def free_port():
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        return port.getsockname()[1]


def wait_for(port, process):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit("a process of Spark ended before it listened")
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(.2)
    sys.exit("Spark does not listen")


def with_spark(options, workers, work, logs, expected, failures):
    python = python_with(["pyspark"])
    home = subprocess.run([python, "-c", "import pyspark; print(pyspark.__path__[0])"], check=True, capture_output=True, text=True).stdout.strip()
    environment = {**os.environ, "SPARK_HOME": home, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": python, "SPARK_LOG_DIR": str(work)}
    port, processes = free_port(), []
    spark_class = f"{home}/bin/spark-class"
    start = lambda *command: processes.append(subprocess.Popen([spark_class, *command], env=environment, cwd=work,
                                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    try:
        start("org.apache.spark.deploy.master.Master", "-h", "127.0.0.1", "-p", str(port), "--webui-port", str(free_port()))
        wait_for(port, processes[0])
        for worker in range(workers):
            start("org.apache.spark.deploy.worker.Worker", "-c", "1", "-m", "1g", "-h", "127.0.0.1", "-d", str(work / f"worker{worker}"),
                  "--webui-port", str(free_port()), f"spark://127.0.0.1:{port}")
        (work / "job.py").write_text(sql(options.paring, "--dialect", "spark", "--job"))
        for form in ["json", "csv", "parquet"]:
            out = work / f"spark{workers}-{form}"
            command = [f"{home}/bin/spark-submit", "--master", f"spark://127.0.0.1:{port}", "--conf", "spark.ui.enabled=false",
                       "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1", "--conf", "spark.sql.shuffle.partitions=4",
                       "--conf", f"spark.cores.max={workers}", "--conf", "spark.scheduler.minRegisteredResourcesRatio=1.0",
                       work / "job.py", f"file://{logs}", f"file://{out}", "--format", form]
            _, cost = measured(command, env=environment, cwd=work)
            print(f"      Spark, {workers} workers, {form}: {cost} of the driver")
            compare(f"Spark, {workers} workers, {form}", usage(options.paring, out), expected, failures)
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paring", required=True)
    parser.add_argument("--events", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--logs", action="append", default=[], help="a folder of other logs (can be repeated)")
    parser.add_argument("--spark", action="append", type=int, default=[], metavar="N", help="Spark with so many workers (can be repeated)")
    options = parser.parse_args()
    options.paring = os.path.abspath(options.paring)
    work = pathlib.Path(tempfile.mkdtemp(prefix="paring-engines-"))
    failures = []
    try:
        logs = work / "logs"
        logs.mkdir()
        def all_records():
            yield from records(options.events, options.seed)
            for folder in options.logs:
                for path in sorted(pathlib.Path(folder).rglob("*")):
                    if path.is_file() and "Digest" not in path.name and "Insight" not in path.name:
                        yield from read(path)
        total = write(logs, all_records())
        _, cost = measured([options.paring, "usage", logs, "--format", "json", "--quiet"])
        expected = usage(options.paring, logs)
        rows = sum(len(used["observations"]) for used in expected["principals"].values())
        print(f"      reader: {total} records, {len(expected['principals'])} roles, {rows} observations, {cost}")
        with_duckdb(options, work, logs, expected, failures)
        grammar(options, failures)
        for workers in options.spark:
            with_spark(options, workers, work, logs, expected, failures)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
