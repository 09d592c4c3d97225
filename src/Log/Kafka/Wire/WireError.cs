namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>The error codes of Kafka's protocol that something depends on.</summary>
internal static class WireError
{
    public const short None = 0;
    public const short OffsetOutOfRange = 1;
    public const short UnknownTopicOrPartition = 3;
    public const short LeaderNotAvailable = 5;
    public const short MessageTooLarge = 10;
    public const short DuplicateSequenceNumber = 46;
    public const short ConcurrentTransactions = 51;
    public const short OperationNotAttempted = 55;
    public const short TransactionalIdNotFound = 105;
    private const short RecordListTooLarge = 18;
    private const short OutOfOrderSequenceNumber = 45;
    private const short InvalidProducerEpoch = 47;
    private const short UnknownProducerId = 59;
    private const short InvalidRecord = 87;
    private const short ProducerFenced = 90;

    /// <summary>Whether the same request may succeed later, or at another broker.</summary>
    public static bool IsRetriable(short code) => code switch
    {
        2 or UnknownTopicOrPartition or LeaderNotAvailable or 6 or 7 or 8 or 9 or 13 or 14 or 15 or 16 => true,

        // Not enough replicas, before and after the append; transactions and quotas; storage and leader epochs; topic identifiers.
        19 or 20 or 41 or 51 or 56 or 70 or 71 or 74 or 75 or 78 or 89 or 100 or 103 => true,
        _ => false,
    };

    /// <summary>Whether the broker expects another sequence: nothing was stored, and the producer has to begin anew (KIP-360).</summary>
    public static bool IsSequenceLost(short code) => code is OutOfOrderSequenceNumber or UnknownProducerId or InvalidProducerEpoch or ProducerFenced;

    /// <summary>Whether a later producer has the name.</summary>
    public static bool IsFenced(short code) => code is InvalidProducerEpoch or ProducerFenced;

    /// <summary>Whether a single record of a batch is at fault: nothing of it was stored, and the others may be in smaller batches.</summary>
    public static bool IsOfRecord(short code) => code is MessageTooLarge or RecordListTooLarge or InvalidRecord;

    public static string NameOf(short code) => $"{(Confluent.Kafka.ErrorCode)code}";
}
