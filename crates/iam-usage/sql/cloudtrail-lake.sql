-- Records of an event data store of CloudTrail Lake, whose id stands for the table. Closed to new customers since May 2026.
-- Request parameters are a map of texts there.
WITH records AS (
  SELECT
    eventID AS event_id,
    DATE_FORMAT(eventTime, '%Y-%m-%dT%H:%i:%sZ') AS event_time,
    eventType AS event_type,
    eventSource AS event_source,
    eventName AS event_name,
    awsRegion AS region,
    recipientAccountId AS account,
    userIdentity.type AS identity,
    CASE
      WHEN userIdentity.arn IS NULL AND userIdentity.principalId LIKE 'AROA%:%'
      THEN 'arn:aws:sts::' || userIdentity.accountId || ':assumed-role/' || REPLACE(userIdentity.principalId, ':', '/')
      ELSE userIdentity.arn
    END AS session_arn,
    userIdentity.sessionContext.sessionIssuer.type AS issuer_type,
    userIdentity.sessionContext.sessionIssuer.arn AS issuer_arn,
    userIdentity.invokedBy AS invoked_by,
    CAST(NULL AS VARCHAR) AS scope_type,
    CAST(NULL AS VARCHAR) AS issued_to,
    errorCode AS error_code,
    errorMessage AS error_message,
    CAST(readOnly AS VARCHAR) AS read_only,
    vpcEndpointId AS endpoint,
    JSON_FORMAT(CAST(TRANSFORM(resources, x -> x.arn) AS JSON)) AS resources,
    JSON_FORMAT(CAST(requestParameters AS JSON)) AS parameters,
    CASE
      WHEN {few}
      THEN JSON_FORMAT(CAST(COALESCE(NULLIF(MAP_FILTER(requestParameters, (name, value) -> LOWER(name) IN ({common})
          OR LOWER(eventSource || ' ' || name) IN ({parameters})),
        MAP()), requestParameters) AS JSON))
      ELSE JSON_FORMAT(CAST(requestParameters AS JSON))
    END AS needed
  FROM {table}
  WHERE eventTime BETWEEN TIMESTAMP '{since} 00:00:00' AND TIMESTAMP '{until} 23:59:59'
),
