-- Records of a CloudTrail table of Athena (Trino), as `paring usage sql --dialect athena --ddl` makes it and the CloudTrail
-- console does: names in small letters, request parameters as text, a partition for each day.
WITH records AS (
  SELECT
    eventid AS event_id,
    eventtime AS event_time,
    eventtype AS event_type,
    eventsource AS event_source,
    eventname AS event_name,
    awsregion AS region,
    recipientaccountid AS account,
    useridentity.type AS identity,
    CASE
      WHEN useridentity.arn IS NULL AND useridentity.principalid LIKE 'AROA%:%'
      THEN 'arn:aws:sts::' || useridentity.accountid || ':assumed-role/' || REPLACE(useridentity.principalid, ':', '/')
      ELSE useridentity.arn
    END AS session_arn,
    useridentity.sessioncontext.sessionissuer.type AS issuer_type,
    useridentity.sessioncontext.sessionissuer.arn AS issuer_arn,
    useridentity.invokedby AS invoked_by,
    useridentity.inscopeof.issuertype AS scope_type,
    useridentity.inscopeof.credentialsissuedto AS issued_to,
    errorcode AS error_code,
    errormessage AS error_message,
    readonly AS read_only,
    vpcendpointid AS endpoint,
    JSON_FORMAT(CAST(TRANSFORM(resources, x -> x.arn) AS JSON)) AS resources,
    requestparameters AS parameters,
    CASE
      WHEN {few}
      THEN COALESCE(NULLIF(JSON_FORMAT(CAST(MAP_FILTER(
        TRY(CAST(JSON_PARSE(requestparameters) AS MAP(VARCHAR, JSON))), (name, value) -> LOWER(name) IN ({common})
          OR LOWER(eventsource || ' ' || name) IN ({parameters})) AS JSON)),
        '{}'), requestparameters)
      ELSE requestparameters
    END AS needed
  FROM {table}
  WHERE "timestamp" BETWEEN REPLACE('{since}', '-', '/') AND REPLACE('{until}', '-', '/')
),
