namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>The coordinator of one transactional id (KIP-98), by a connection for the purpose. Its calls block.</summary>
internal sealed class TransactionCoordinator : IDisposable
{
    private const byte OfTransactions = 1;
    private readonly WireConnection _connection;
    private readonly string _transactionalId;

    private TransactionCoordinator(WireConnection connection, string transactionalId) => (_connection, _transactionalId) = (connection, transactionalId);

    /// <exception cref="WireException">No broker answers, or none is the coordinator now.</exception>
    public static TransactionCoordinator Find(WireSettings settings, ClusterMetadata metadata, string transactionalId)
    {
        WireException? failure = null;
        foreach (var address in metadata.Current.Brokers.Concat(settings.Bootstrap).Distinct())
        {
            try
            {
                return Find(settings, address, transactionalId);
            }
            catch (Exception exception) when (WireConnection.IsFailure(exception) && exception is not WireException { IsFinal: true })
            {
                failure = new($"{address}: {exception.Message}");
            }
        }

        throw failure ?? new("No broker is known.");
    }

    /// <summary>Whether the broker can be asked what it knows (Kafka 3.0 and newer).</summary>
    public bool IsTelling => _connection.Knows(WireApi.DescribeTransactions);

    /// <summary>What it knows of the id; null when it has never heard of it.</summary>
    public TransactionState? Describe()
    {
        var writer = _connection.Start(WireApi.DescribeTransactions);
        writer.WriteCompactCount(1);
        writer.WriteCompactString(_transactionalId);
        writer.WriteNoTags();
        var reader = _connection.SendAndReceive();
        _ = reader.ReadInt32();
        if (reader.ReadCompactCount() == 0)
        {
            return null;
        }

        var error = reader.ReadInt16();
        if (error == WireError.TransactionalIdNotFound)
        {
            return null;
        }

        Check(error);
        _ = reader.ReadCompactString();
        var name = reader.ReadCompactString();
        _ = reader.ReadInt32();
        _ = reader.ReadInt64();
        return new(name, reader.ReadInt64());
    }

    /// <summary>Becomes the producer of the id, and fences the earlier one; null while what that one has open is being ended.</summary>
    public ProducerIdentity? TryInitialize(TimeSpan transactionTimeout)
    {
        var writer = _connection.Start(WireApi.InitProducerId);
        writer.WriteString(_transactionalId);
        writer.WriteInt32((int)transactionTimeout.TotalMilliseconds);
        var reader = _connection.SendAndReceive();
        _ = reader.ReadInt32();
        var error = reader.ReadInt16();
        if (error == WireError.ConcurrentTransactions)
        {
            return null;
        }

        Check(error);
        return new(reader.ReadInt64(), reader.ReadInt16());
    }

    /// <summary>Commits or aborts a transaction of no records on partitions: its markers end whatever the producer has open there.</summary>
    public void End(ProducerIdentity producer, IEnumerable<TopicPartitionId> partitions, bool commits)
    {
        var writer = _connection.Start(WireApi.AddPartitionsToTxn);
        Write(writer, producer);
        writer.WriteTopics(partitions);
        var reader = _connection.SendAndReceive();
        _ = reader.ReadInt32();
        var refusal = WireError.None;
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            _ = reader.ReadUtf8();
            for (var parts = reader.ReadCount(); parts > 0; parts--)
            {
                _ = reader.ReadInt32();
                var error = reader.ReadInt16();

                // One partition's error keeps the others from being tried.
                refusal = error is WireError.None or WireError.OperationNotAttempted && refusal != WireError.None ? refusal : error;
            }
        }

        Check(refusal);

        writer = _connection.Start(WireApi.EndTxn);
        Write(writer, producer);
        writer.WriteInt8(commits ? (byte)1 : (byte)0);
        reader = _connection.SendAndReceive();
        _ = reader.ReadInt32();
        Check(reader.ReadInt16());
    }

    public void Dispose() => _connection.Dispose();

    private static TransactionCoordinator Find(WireSettings settings, BrokerAddress any, string transactionalId)
    {
        var connection = WireConnection.Open(settings, any);
        try
        {
            var writer = connection.Start(WireApi.FindCoordinator);
            writer.WriteString(transactionalId);
            writer.WriteInt8(OfTransactions);
            var reader = connection.SendAndReceive();
            _ = reader.ReadInt32();
            if (reader.ReadInt16() is var error and not WireError.None)
            {
                throw new WireException($"no coordinator of '{transactionalId}': {WireError.NameOf(error)}", error);
            }

            _ = reader.ReadUtf8();
            _ = reader.ReadInt32();
            BrokerAddress address = new(reader.ReadString(), reader.ReadInt32());
            if (address != any)
            {
                connection.Dispose();
                connection = WireConnection.Open(settings, address);
            }

            return new(connection, transactionalId);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void Write(WireWriter writer, ProducerIdentity producer)
    {
        writer.WriteString(_transactionalId);
        writer.WriteInt64(producer.Id);
        writer.WriteInt16(producer.Epoch);
    }

    private void Check(short error)
    {
        if (error != WireError.None)
        {
            throw new WireException($"the coordinator of '{_transactionalId}' answers {WireError.NameOf(error)}", error);
        }
    }
}
