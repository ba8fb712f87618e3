-- What each role did, from the CTE `records` (one row for each record, as it stands in the log) to rows that
-- `paring usage` reads. The same text for every engine; only what stands before it differs.

marked AS (
  SELECT
    records.*,
    CASE
      WHEN event_type IN ('AwsServiceEvent', 'AwsConsoleSignIn', 'AwsConsoleAction', 'AwsCloudTrailInsight', 'AwsVpceEvent') THEN 'no call'
      WHEN NOT (COALESCE(identity, 'Role') IN ('AssumedRole', 'Role'))
        AND NOT (identity = 'AWSAccount' AND COALESCE(session_arn, '') LIKE '%:assumed-role/%') THEN 'other'
      WHEN identity IS NULL AND issuer_arn IS NULL AND COALESCE(session_arn, '') NOT LIKE '%:assumed-role/%' THEN 'other'
      WHEN COALESCE(issuer_type, 'Role') = 'Role' AND issuer_arn LIKE '%:role/aws-service-role/%' THEN 'service'
      WHEN event_source IS NULL OR event_name IS NULL THEN 'incomplete'
      WHEN COALESCE(issuer_type, 'Role') = 'Role' AND issuer_arn LIKE '%:role/%'
        AND NOT REGEXP_LIKE(issuer_arn, '^arn:[^:]*:iam:[^:]*:[0-9]{12}:') THEN 'incomplete'
      WHEN (COALESCE(issuer_type, 'Role') <> 'Role' OR COALESCE(issuer_arn, '') NOT LIKE '%:role/%')
        AND COALESCE(session_arn, '') NOT LIKE '%:assumed-role/%' AND COALESCE(session_arn, '') NOT LIKE '%:role/%' THEN 'incomplete'
      ELSE 'role'
    END AS caller
  FROM records
),
-- Of others than calls by roles only what they are, when and where counts; of errors, whether the caller was turned away
-- (1), or was told that a key is not there, which takes the right to list (2).
kept AS (
  SELECT
    event_id, event_time, region, account,
    CASE WHEN caller = 'role' THEN event_type WHEN caller = 'no call' THEN 'AwsServiceEvent' END AS event_type,
    CASE
      WHEN caller = 'role' THEN identity
      WHEN caller = 'service' OR caller = 'other' AND identity = 'AWSService' THEN 'AWSService'
      WHEN caller = 'other' AND identity IS NOT NULL THEN 'Other'
    END AS identity,
    CASE
      WHEN caller = 'role' THEN invoked_by
      WHEN caller = 'other' AND identity IS NULL AND invoked_by IS NOT NULL THEN 'a.amazonaws.com'
    END AS invoked_by,
    CASE WHEN caller = 'role' THEN event_source END AS event_source,
    CASE WHEN caller = 'role' THEN event_name END AS event_name,
    CASE WHEN caller = 'role' THEN session_arn END AS session_arn,
    CASE WHEN caller = 'role' THEN issuer_type END AS issuer_type,
    CASE WHEN caller = 'role' THEN issuer_arn END AS issuer_arn,
    CASE WHEN caller = 'role' THEN scope_type END AS scope_type,
    CASE WHEN caller = 'role' THEN issued_to END AS issued_to,
    CASE WHEN caller = 'role' THEN endpoint END AS endpoint,
    CASE WHEN caller = 'role' THEN resources END AS resources,
    CASE WHEN caller = 'role' THEN parameters END AS parameters,
    CASE WHEN caller = 'role' THEN needed END AS needed,
    CASE
      WHEN caller <> 'role' OR COALESCE(error_code, '') = '' THEN 0
      WHEN error_code LIKE '%AccessDenied%' OR error_code LIKE '%Unauthorized%' OR error_code LIKE '%AuthorizationError%'
        OR error_code LIKE '%NotAuthorizedForSource%' OR error_code LIKE '%Forbidden%' THEN 1
      WHEN REGEXP_LIKE(error_code, '(^|[.])(AuthFailure|ExpiredToken|ExpiredTokenException|IncompleteSignature|InvalidAccessKeyId|InvalidClientTokenId|InvalidSignatureException|MissingAuthenticationToken|MissingAuthenticationTokenException|NotAuthorized|SignatureDoesNotMatch|UnrecognizedClientException)$') THEN 1
      WHEN error_message LIKE '%not authorized to perform%' THEN 1
      WHEN error_code = 'NoSuchKey' AND event_source = 's3.amazonaws.com' AND event_name IN ('GetObject', 'HeadObject') THEN 2
      ELSE 0
    END AS denied,
    CASE WHEN caller = 'role' AND read_only = 'true' THEN 1 ELSE 0 END AS read_only
  FROM marked
),
-- Records that were delivered twice, with the same id and the same to say, count once.
told AS (
  SELECT
    NULLIF(event_id, '') AS event_id, event_time, event_type, region, account, identity, invoked_by,
    event_source, event_name, session_arn, issuer_type, issuer_arn, scope_type, issued_to,
    denied, read_only, endpoint, resources, parameters, needed,
    COUNT(*) AS delivered
  FROM kept
  GROUP BY
    NULLIF(event_id, ''), event_time, event_type, region, account, identity, invoked_by,
    event_source, event_name, session_arn, issuer_type, issuer_arn, scope_type, issued_to,
    denied, read_only, endpoint, resources, parameters, needed
),
-- Of sessions only names that may be a function's are told apart.
calls AS (
  SELECT
    event_id, event_time, SUBSTR(event_time, 1, 10) AS event_day, account, region, event_type, identity, event_source,
    event_name,
    CASE WHEN COALESCE(issuer_type, 'Role') = 'Role' THEN issuer_arn END AS role_arn,
    CASE
      WHEN NOT REGEXP_LIKE(session_arn, ':assumed-role/[^/]+/') THEN session_arn
      WHEN REGEXP_LIKE(session_arn, ':assumed-role/[^/]+/[A-Za-z0-9_-]{1,64}$')
        AND NOT REGEXP_LIKE(session_arn, '/(i-[0-9a-fA-F]{8,}|[0-9]+)$')
        AND NOT REGEXP_LIKE(session_arn, ':assumed-role/[^/]+/(botocore-session-|aws-go-sdk-|aws-sdk-js-|aws-sdk-java-|AWSCLI-Session|AssumeRoleSession)')
        THEN session_arn
      ELSE REGEXP_REPLACE(session_arn, '/[^/]*$', '/@')
    END AS session_arn,
    invoked_by,
    CASE WHEN scope_type = 'AWS::Lambda::Function' THEN issued_to END AS issued_to,
    denied, read_only, endpoint, resources,
    needed AS parameters,
    CASE WHEN event_id IS NULL THEN delivered ELSE 1 END AS times,
    CASE WHEN event_id IS NULL THEN 0 ELSE delivered - 1 END AS again
  FROM told
),
-- A few ids of each group, so that a person can look one up.
placed AS (
  SELECT
    calls.*,
    ROW_NUMBER() OVER (
      PARTITION BY
        event_day, account, region, event_type, identity, event_source, event_name, role_arn, session_arn, invoked_by,
        issued_to, denied, read_only, endpoint, resources, parameters
      ORDER BY event_id ASC NULLS LAST
    ) AS place
  FROM calls
)
SELECT
  1 AS paring_rows,
  event_day, account, region, event_type, identity, event_source, event_name, role_arn, session_arn, invoked_by,
  issued_to, denied, read_only, endpoint, resources, parameters,
  SUM(times) AS calls,
  SUM(again) AS copies,
  MIN(event_time) AS first_time,
  MAX(event_time) AS last_time,
  MAX(CASE WHEN place = 1 THEN event_id END) AS id_1,
  MAX(CASE WHEN place = 2 THEN event_id END) AS id_2,
  MAX(CASE WHEN place = 3 THEN event_id END) AS id_3
FROM placed
GROUP BY
  event_day, account, region, event_type, identity, event_source, event_name, role_arn, session_arn, invoked_by,
  issued_to, denied, read_only, endpoint, resources, parameters
