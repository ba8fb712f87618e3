-- What DuckDB calls otherwise, and the records of CloudTrail's files (`{path}`), one in each row.
CREATE MACRO regexp_like(text, pattern) AS regexp_matches(text, pattern);
CREATE TABLE {table} AS
  SELECT UNNEST(CAST(json->'$.Records' AS JSON[])) AS record
  FROM read_json_objects('{path}', format = 'unstructured', maximum_object_size = 1073741824);
