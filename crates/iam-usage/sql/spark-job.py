"""What each role did, from CloudTrail's files, with Spark (3.4 or later): rows that `paring usage` reads.

  spark-submit job.py IN OUT [--since 2026-11-01] [--until 2026-11-30] [--format parquet|json|csv]

IN is a folder or prefix of logs, such as s3://BUCKET/AWSLogs/o-ORGANIZATION/*/CloudTrail/*/2026/11/*; OUT is a folder that
does not exist yet. Written by `paring usage sql --dialect spark --job`; it needs nothing beside Spark.
"""

import argparse

from pyspark.sql import SparkSession, functions as F

IDENTITY = """STRUCT<type: STRING, principalId: STRING, arn: STRING, accountId: STRING, invokedBy: STRING,
  inScopeOf: STRUCT<issuerType: STRING, credentialsIssuedTo: STRING>,
  sessionContext: STRUCT<sessionIssuer: STRUCT<type: STRING, arn: STRING>>>"""

# Request parameters and resources are text: their JSON, as it stands in the record.
RECORD = f"""STRUCT<eventID: STRING, eventTime: STRING, eventType: STRING, eventSource: STRING, eventName: STRING,
  awsRegion: STRING, recipientAccountId: STRING, userIdentity: {IDENTITY}, errorCode: STRING, errorMessage: STRING,
  readOnly: STRING, vpcEndpointId: STRING, resources: STRING, requestParameters: STRING>"""

STATEMENT = r"""
{statement}"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("logs")
    parser.add_argument("out")
    parser.add_argument("--since", default="0000-00-00")
    parser.add_argument("--until", default="9999-99-99")
    parser.add_argument("--format", default="parquet", choices=["parquet", "json", "csv"])
    options = parser.parse_args()
    spark = SparkSession.builder.appName("paring usage").getOrCreate()
    files = spark.read.option("recursiveFileLookup", "true").option("pathGlobFilter", "*.json*")
    files = files.schema(f"Records ARRAY<{RECORD}>").json(options.logs)
    # Digest and Insight files lie beside the logs.
    path = F.col("_metadata.file_path")
    files = files.where(~path.rlike("CloudTrail-(Digest|Insight|Aggregated)"))
    files.select(F.explode("Records").alias("record")).select("record.*").createOrReplaceTempView("cloudtrail")
    rows = spark.sql(STATEMENT.replace("{since}", options.since).replace("{until}", options.until))
    writer = rows.write.format(options.format).option("header", "true").option("escape", '"')
    writer.save(options.out)
    spark.stop()


main()
