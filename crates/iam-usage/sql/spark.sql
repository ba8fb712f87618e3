-- Records as Spark reads them: the view `{table}` has CloudTrail's fields as columns, request parameters and resources as text.
WITH records AS (
  SELECT
    eventID AS event_id,
    eventTime AS event_time,
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
    userIdentity.inScopeOf.issuerType AS scope_type,
    userIdentity.inScopeOf.credentialsIssuedTo AS issued_to,
    errorCode AS error_code,
    errorMessage AS error_message,
    readOnly AS read_only,
    vpcEndpointId AS endpoint,
    resources AS resources,
    requestParameters AS parameters,
    CASE
      WHEN {few}
      THEN COALESCE(NULLIF(TO_JSON(MAP_FILTER(
        FROM_JSON(requestParameters, 'map<string,string>'), (name, value) -> LOWER(name) IN ({common})
          OR LOWER(eventSource || ' ' || name) IN ({parameters}))), '{}'), requestParameters)
      ELSE requestParameters
    END AS needed
  FROM {table}
  WHERE eventTime BETWEEN '{since}' AND '{until}T99'
    OR eventTime IS NULL OR NOT REGEXP_LIKE(eventTime, '^[0-9]{4}-')
),
