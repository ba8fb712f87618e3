-- Records as DuckDB reads them, one JSON object in each row of `{table}`, column `record`. For tests of this statement.
WITH records AS (
  SELECT
    record->>'$.eventID' AS event_id,
    record->>'$.eventTime' AS event_time,
    record->>'$.eventType' AS event_type,
    record->>'$.eventSource' AS event_source,
    record->>'$.eventName' AS event_name,
    record->>'$.awsRegion' AS region,
    record->>'$.recipientAccountId' AS account,
    record->>'$.userIdentity.type' AS identity,
    CASE
      WHEN (record->>'$.userIdentity.arn') IS NULL AND (record->>'$.userIdentity.principalId') LIKE 'AROA%:%'
      THEN 'arn:aws:sts::' || (record->>'$.userIdentity.accountId') || ':assumed-role/'
        || REPLACE(record->>'$.userIdentity.principalId', ':', '/')
      ELSE record->>'$.userIdentity.arn'
    END AS session_arn,
    record->>'$.userIdentity.sessionContext.sessionIssuer.type' AS issuer_type,
    record->>'$.userIdentity.sessionContext.sessionIssuer.arn' AS issuer_arn,
    record->>'$.userIdentity.invokedBy' AS invoked_by,
    record->>'$.userIdentity.inScopeOf.issuerType' AS scope_type,
    record->>'$.userIdentity.inScopeOf.credentialsIssuedTo' AS issued_to,
    record->>'$.errorCode' AS error_code,
    record->>'$.errorMessage' AS error_message,
    record->>'$.readOnly' AS read_only,
    record->>'$.vpcEndpointId' AS endpoint,
    CAST(record->'$.resources' AS VARCHAR) AS resources,
    CAST(record->'$.requestParameters' AS VARCHAR) AS parameters,
    CASE
      WHEN {few}
      THEN COALESCE(NULLIF(CAST(TO_JSON(MAP_FROM_ENTRIES(LIST_FILTER(
        MAP_ENTRIES(TRY_CAST(record->'$.requestParameters' AS MAP(VARCHAR, JSON))),
        lambda entry: LOWER(entry.key) IN ({common})
          OR LOWER((record->>'$.eventSource') || ' ' || entry.key) IN ({parameters})))) AS VARCHAR), '{}'), CAST(record->'$.requestParameters' AS VARCHAR))
      ELSE CAST(record->'$.requestParameters' AS VARCHAR)
    END AS needed
  FROM {table}
  WHERE (record->>'$.eventTime') BETWEEN '{since}' AND '{until}T99'
    OR (record->>'$.eventTime') IS NULL OR NOT REGEXP_LIKE((record->>'$.eventTime'), '^[0-9]{4}-')
),
