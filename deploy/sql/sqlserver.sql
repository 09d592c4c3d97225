-- The list of the cluster's members in SQL Server, and the queries by which Orleans reads and writes it. Running it again changes nothing.
-- Orleans prescribes the table OrleansQuery, the keys in it, and the names of parameters and columns.
SET XACT_ABORT ON;
BEGIN TRANSACTION;

-- Two runs at the same time: one after the other.
EXEC sp_getapplock @Resource = N'orleansmqtt-schema', @LockMode = N'Exclusive';

IF OBJECT_ID(N'OrleansQuery', N'U') IS NULL
    CREATE TABLE OrleansQuery
    (
        QueryKey VARCHAR(64) NOT NULL PRIMARY KEY,
        QueryText VARCHAR(8000) NOT NULL
    );

-- One row for each cluster: every change of its members counts it up, which is how two changes at once are noticed.
IF OBJECT_ID(N'OrleansMembershipVersionTable', N'U') IS NULL
    CREATE TABLE OrleansMembershipVersionTable
    (
        DeploymentId NVARCHAR(150) NOT NULL PRIMARY KEY,
        Timestamp DATETIME2(3) NOT NULL DEFAULT SYSUTCDATETIME(),
        Version INT NOT NULL DEFAULT 0
    );

-- One row for each process that is or was a member.
IF OBJECT_ID(N'OrleansMembershipTable', N'U') IS NULL
    CREATE TABLE OrleansMembershipTable
    (
        DeploymentId NVARCHAR(150) NOT NULL REFERENCES OrleansMembershipVersionTable (DeploymentId),
        Address VARCHAR(45) NOT NULL,
        Port INT NOT NULL,
        Generation INT NOT NULL,
        SiloName NVARCHAR(150) NOT NULL,
        HostName NVARCHAR(150) NOT NULL,
        Status INT NOT NULL,
        ProxyPort INT NULL,
        SuspectTimes VARCHAR(8000) NULL,
        StartTime DATETIME2(3) NOT NULL,
        IAmAliveTime DATETIME2(3) NOT NULL,
        PRIMARY KEY (DeploymentId, Address, Port, Generation)
    );

MERGE OrleansQuery AS stored
USING (VALUES
('InsertMembershipVersionKey', '
    SET NOCOUNT ON;
    INSERT INTO OrleansMembershipVersionTable (DeploymentId)
    SELECT @DeploymentId WHERE NOT EXISTS (SELECT 1 FROM OrleansMembershipVersionTable WITH (UPDLOCK, HOLDLOCK) WHERE DeploymentId = @DeploymentId);
    SELECT @@ROWCOUNT'),

-- The version is counted up only if the row is new, and the row is added only if the version was counted up.
('InsertMembershipKey', '
    SET NOCOUNT, XACT_ABORT ON;
    DECLARE @counted INT;
    BEGIN TRANSACTION;
    UPDATE OrleansMembershipVersionTable SET Version = Version + 1, Timestamp = SYSUTCDATETIME()
    WHERE DeploymentId = @DeploymentId AND Version = @Version AND NOT EXISTS
    (
        SELECT 1 FROM OrleansMembershipTable AS m
        WHERE m.DeploymentId = @DeploymentId AND m.Address = @Address AND m.Port = @Port AND m.Generation = @Generation
    );
    SET @counted = @@ROWCOUNT;
    IF @counted > 0
        INSERT INTO OrleansMembershipTable
            (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, StartTime, IAmAliveTime)
        VALUES (@DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime);
    COMMIT TRANSACTION;
    SELECT @counted'),

('UpdateMembershipKey', '
    SET NOCOUNT, XACT_ABORT ON;
    DECLARE @counted INT;
    BEGIN TRANSACTION;
    UPDATE OrleansMembershipVersionTable SET Version = Version + 1, Timestamp = SYSUTCDATETIME()
    WHERE DeploymentId = @DeploymentId AND Version = @Version AND EXISTS
    (
        SELECT 1 FROM OrleansMembershipTable AS m
        WHERE m.DeploymentId = @DeploymentId AND m.Address = @Address AND m.Port = @Port AND m.Generation = @Generation
    );
    SET @counted = @@ROWCOUNT;
    IF @counted > 0
        UPDATE OrleansMembershipTable
        SET Status = @Status, SuspectTimes = @SuspectTimes, IAmAliveTime = CASE WHEN IAmAliveTime > @IAmAliveTime THEN IAmAliveTime ELSE @IAmAliveTime END
        WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation;
    COMMIT TRANSACTION;
    SELECT @counted'),

('UpdateIAmAlivetimeKey', '
    SET NOCOUNT ON;
    UPDATE OrleansMembershipTable SET IAmAliveTime = @IAmAliveTime
    WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation AND IAmAliveTime < @IAmAliveTime'),

-- The version comes also when there is no such member, or none at all.
-- HOLDLOCK: both tables as of the same moment.
('MembershipReadRowKey', '
    SELECT v.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes, m.StartTime, m.IAmAliveTime, v.Version
    FROM OrleansMembershipVersionTable AS v WITH (HOLDLOCK)
    LEFT JOIN OrleansMembershipTable AS m WITH (HOLDLOCK)
        ON m.DeploymentId = v.DeploymentId AND m.Address = @Address AND m.Port = @Port AND m.Generation = @Generation
    WHERE v.DeploymentId = @DeploymentId'),

('MembershipReadAllKey', '
    SELECT v.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes, m.StartTime, m.IAmAliveTime, v.Version
    FROM OrleansMembershipVersionTable AS v WITH (HOLDLOCK)
    LEFT JOIN OrleansMembershipTable AS m WITH (HOLDLOCK) ON m.DeploymentId = v.DeploymentId
    WHERE v.DeploymentId = @DeploymentId'),

('GatewaysQueryKey', '
    SELECT Address, ProxyPort, Generation FROM OrleansMembershipTable
    WHERE DeploymentId = @DeploymentId AND Status = @Status AND ProxyPort > 0'),

('DeleteMembershipTableEntriesKey', '
    DELETE FROM OrleansMembershipTable WHERE DeploymentId = @DeploymentId;
    DELETE FROM OrleansMembershipVersionTable WHERE DeploymentId = @DeploymentId'),

-- Status 6: dead.
('CleanupDefunctSiloEntriesKey', '
    DELETE FROM OrleansMembershipTable
    WHERE DeploymentId = @DeploymentId AND Status = 6 AND StartTime < @IAmAliveTime AND IAmAliveTime < @IAmAliveTime AND COALESCE(SuspectTimes, '''') = '''''),

('CleanupDefunctSiloEntryKey', '
    DELETE FROM OrleansMembershipTable
    WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation AND Status = 6
        AND StartTime = @StartTime AND IAmAliveTime = @IAmAliveTime AND COALESCE(SuspectTimes, '''') = COALESCE(@SuspectTimes, '''')')) AS wanted (QueryKey, QueryText)
ON stored.QueryKey = wanted.QueryKey
WHEN MATCHED THEN UPDATE SET QueryText = wanted.QueryText
WHEN NOT MATCHED THEN INSERT (QueryKey, QueryText) VALUES (wanted.QueryKey, wanted.QueryText);

COMMIT TRANSACTION;
