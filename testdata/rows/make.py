#!/usr/bin/env python3
"""Writes the rows of this folder: what the statements of `paring usage sql` give, in every form that an engine may write.

  python3 make.py        needs the packages duckdb and pyarrow; with --spark, those of Spark, which need pyspark and Java

Each `good-*.parquet`, `rows.csv` and `rows.jsonl` holds the same rows: a test reads them all into the same usage log. Each
`refused-*.parquet` is of a kind that is not read. Small ones go to `fuzz/seeds/rows`.
"""

import csv, datetime, json, pathlib, random, shutil, sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
TEXTS = ("event_day account region event_type identity event_source event_name role_arn session_arn invoked_by issued_to "
         "endpoint resources parameters first_time last_time id_1 id_2 id_3").split()
NUMBERS = "paring_rows denied read_only calls copies".split()
ORDER = ("paring_rows event_day account region event_type identity event_source event_name role_arn session_arn invoked_by "
         "issued_to denied read_only endpoint resources parameters calls copies first_time last_time id_1 id_2 id_3").split()


def rows():
    r = random.Random(11)
    for number in range(40):
        account, role = r.choice(["111122223333", "444455556666"]), f"r{r.randrange(4)}"
        arn = f"arn:aws:iam::{account}:role/{role}"
        source, name, parameters = r.choice([
            ("s3", "GetObject", {"bucketName": "b", "key": f"in/\u00e4\"{r.randrange(9)}\"*,\n.json"}),
            ("dynamodb", "PutItem", {"tableName": f"t{r.randrange(3)}"}),
            ("sts", "GetCallerIdentity", None),
            ("sqs", "NewThing", {"a": 1}),
        ])
        day = f"2026-11-{1 + number // 2:02}"
        ids = sorted("%08x-0000-4000-8000-%012x" % (r.getrandbits(32), r.getrandbits(48)) for _ in range(r.randrange(4)))
        row = dict.fromkeys(ORDER)
        row |= {"paring_rows": 1, "event_day": day, "account": account, "region": r.choice(["eu-west-1", "us-east-1"]),
                "event_type": "AwsApiCall", "identity": "AssumedRole", "event_source": f"{source}.amazonaws.com", "event_name": name,
                "role_arn": arn, "session_arn": f"arn:aws:sts::{account}:assumed-role/{role}/@", "denied": int(r.random() < .2),
                "read_only": int(name.startswith("Get")), "parameters": parameters and json.dumps(parameters, ensure_ascii=False),
                "calls": r.choice([1, 7, 300, 5_000_000_000]), "copies": r.randrange(2), "first_time": f"{day}T0{r.randrange(9)}:00:00Z",
                "last_time": f"{day}T1{r.randrange(9)}:00:00Z"}
        if number % 9 == 4:
            row["endpoint"], row["invoked_by"] = "vpce-1", "s3.amazonaws.com"
        if source == "s3":
            row["resources"] = json.dumps([f"arn:aws:s3:::b/in/{number}"])
        if number % 7 == 3:
            row |= dict.fromkeys(TEXTS) | {"event_day": day, "first_time": row["first_time"], "last_time": row["last_time"], "identity": "AWSService"}
        row |= {f"id_{place + 1}": one for place, one in enumerate(ids)}
        yield row


def table(rows, numbers=pa.int64(), texts=pa.string()):
    return pa.table({name: pa.array([row[name] for row in rows], numbers if name in NUMBERS else texts) for name in ORDER})


def with_pyarrow(rows):
    write = lambda name, data, **options: pq.write_table(data, HERE / f"{name}.parquet", **options)
    plain = table(rows)
    write("good-pages", plain, data_page_size=64, write_batch_size=4, row_group_size=16, compression="snappy", write_page_checksum=True)
    write("good-v2", plain, data_page_version="2.0", data_page_size=64, write_batch_size=4, compression="zstd", write_page_checksum=True)
    write("good-plain-v2", plain, data_page_version="2.0", use_dictionary=False, compression="gzip")
    write("good-plain", plain, use_dictionary=False, compression="none", data_page_size=64, write_batch_size=4)
    write("good-small-numbers", table(rows, pa.uint64(), pa.binary()), compression="gzip")
    delta = {name: "DELTA_BINARY_PACKED" if name in NUMBERS else "DELTA_BYTE_ARRAY" for name in ORDER}
    write("good-delta", plain, use_dictionary=False, column_encoding=delta, compression="snappy", data_page_version="2.0")
    lengths = {name: "BYTE_STREAM_SPLIT" if name in NUMBERS else "DELTA_LENGTH_BYTE_ARRAY" for name in ORDER}
    write("good-lengths", plain, use_dictionary=False, column_encoding=lengths, compression="zstd")
    decimals = plain.set_column(ORDER.index("calls"), "calls", plain["calls"].cast(pa.decimal128(38, 0)))
    required = pa.schema([field.with_nullable(field.name not in NUMBERS) for field in decimals.schema])
    write("good-decimal", pa.table(decimals.columns, schema=required))
    reals = plain.set_column(ORDER.index("calls"), "Calls", plain["calls"].cast(pa.float64()))
    write("good-real", reals)
    days = pa.array([datetime.date.fromisoformat(row["event_day"]) for row in rows], pa.date32())
    write("good-date", plain.set_column(ORDER.index("event_day"), "event_day", days))
    write("refused-brotli", plain, compression="brotli")
    write("refused-nested", plain.append_column("useridentity", pa.array([{"type": "Role"}] * len(rows))))
    write("refused-decimal", plain.set_column(ORDER.index("calls"), "calls", plain["calls"].cast(pa.decimal128(30, 2))))
    write("refused-other-columns", pa.table({"a": [1, 2]}))
    one = rows[0]
    record = {"eventid": [one["id_1"]], "eventtime": pa.array([datetime.datetime(2026, 11, 1, 8)], pa.timestamp("us", "UTC")),
              "eventsource": ["dynamodb.amazonaws.com"], "eventname": ["PutItem"], "awsregion": ["eu-west-1"],
              "recipientaccountid": ["111122223333"], "requestparameters": ['{"tableName": "t"}'], "readonly": [False],
              "useridentity": [json.dumps({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/r"}}})]}
    write("records", pa.table(record))


def with_duckdb(rows):
    base = duckdb.connect()
    data = table(rows)
    base.register("data", data)
    # Its sums are of 128 bits, which Parquet does not have.
    base.execute("CREATE TABLE t AS SELECT * REPLACE (calls::HUGEINT AS calls) FROM data")
    for name, options in [("snappy", ""), ("zstd", ", COMPRESSION zstd"), ("gzip", ", COMPRESSION gzip"),
                          ("v2", ", PARQUET_VERSION V2, COMPRESSION uncompressed")]:
        base.execute(f"COPY t TO '{HERE}/good-duckdb-{name}.parquet' (FORMAT parquet{options})")


def with_spark(rows):
    from pyspark.sql import SparkSession, types as T
    fields = [T.StructField(name, T.LongType() if name in NUMBERS else T.StringType()) for name in ORDER]
    spark = SparkSession.builder.master("local[1]").getOrCreate()
    frame = spark.createDataFrame([[row[name] for name in ORDER] for row in rows], T.StructType(fields)).coalesce(1)
    for name, version in [("v1", "PARQUET_1_0"), ("v2", "PARQUET_2_0")]:
        out = HERE / "spark"
        frame.write.option("parquet.writer.version", version).parquet(str(out))
        part, = out.glob("part-*.parquet")
        part.rename(HERE / f"good-spark-{name}.parquet")
        shutil.rmtree(out)


def seeds(rows):
    """Files of less than 4 KiB: a few columns and rows."""
    names = "paring_rows calls copies first_time last_time event_source event_name role_arn".split()
    few = table(rows[:6]).select(names)
    folder = HERE.parent.parent / "fuzz" / "seeds" / "rows"
    folder.mkdir(parents=True, exist_ok=True)
    options = dict(write_statistics=False, store_schema=False)
    write = lambda name, **more: pq.write_table(few, folder / f"{name}.parquet", **options, **more)
    for codec in "none", "snappy", "gzip", "zstd":
        write(f"dictionary-{codec}", compression=codec)
    write("plain", compression="none", use_dictionary=False, write_page_checksum=True)
    write("pages", compression="none", use_dictionary=False, data_page_size=16, write_batch_size=2, row_group_size=3)
    write("v2", compression="zstd", use_dictionary=False, data_page_version="2.0")
    encoded = lambda number, text: {name: number if name in NUMBERS else text for name in names}
    write("delta", compression="none", use_dictionary=False, column_encoding=encoded("DELTA_BINARY_PACKED", "DELTA_BYTE_ARRAY"))
    write("lengths", compression="none", use_dictionary=False, column_encoding=encoded("BYTE_STREAM_SPLIT", "DELTA_LENGTH_BYTE_ARRAY"))
    columns = "calls copies first_time last_time event_source event_name role_arn account parameters resources denied".split()
    (folder / "cells").write_text("\x01".join("\x02".join("" if row[name] is None else str(row[name]) for name in columns) for row in rows[:8]))


def main():
    own = list(rows())
    with open(HERE / "rows.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, ORDER)
        writer.writeheader()
        writer.writerows(own)
    with open(HERE / "rows.jsonl", "w") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in own)
    with_spark(own) if "--spark" in sys.argv else (with_pyarrow(own), with_duckdb(own), seeds(own))


main()
