using Confluent.Kafka;
using Confluent.Kafka.Admin;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Kafka;

/// <summary>
/// Asks by the Confluent client for administration. That destroys itself when it cannot read an answer, as while a partition has no leader: the request under way is never answered
/// then, and each later one is refused. So nobody waits without a limit, and another client takes its place. Any thread.
/// </summary>
/// <param name="create">Makes a client.</param>
/// <param name="close">Closes one that has failed for good.</param>
internal sealed class KafkaAdmin(Func<IAdminClient> create, Action<IDisposable> close) : IDisposable
{
    /// <summary>How long a broker may take to answer.</summary>
    public static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan AnswerLimit = RequestLimit + TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private IAdminClient _client = create();
    private bool _isDisposed;

    /// <summary>Makes a request, whose own limit is <see cref="RequestLimit"/> at most.</summary>
    /// <exception cref="KafkaException">It failed, or no answer came: it may be made again.</exception>
    public async Task<TAnswer> AskAsync<TAnswer>(Func<IAdminClient, Task<TAnswer>> request)
    {
        var client = Volatile.Read(ref _client);
        try
        {
            return await request(client).WaitAsync(AnswerLimit);
        }
        catch (Exception exception) when (exception is ObjectDisposedException or TimeoutException)
        {
            Replace(client);
            throw new KafkaException(new Error(ErrorCode.Local_TimedOut, "The client for administration gave no answer."), exception);
        }
    }

    /// <inheritdoc cref="AskAsync"/>
    public Task AskAsync(Func<IAdminClient, Task> request) => AskAsync(async client =>
    {
        await request(client);
        return true;
    });

    /// <summary>Looks for the leaders of a topic that is there, which the client else remembers for minutes not to be.</summary>
    /// <exception cref="KafkaException">No broker has answered.</exception>
    public Task RefreshLeadersAsync(string topic) => AskAsync(client => Task.Run(() => client.GetMetadata(topic, RequestLimit)));

    /// <summary>One of the topics that has a partition without a leader; null when there is none.</summary>
    /// <exception cref="KafkaException">No broker has answered.</exception>
    public Task<string?> FindWithoutLeaderAsync(IReadOnlyCollection<string> topics) => AskAsync(client => Task.Run(() =>

        // Of all topics: a broker may make one that is named and not there.
        client.GetMetadata(RequestLimit).Topics.Find(found => topics.Contains(found.Topic) && found.Partitions.Exists(static partition => partition.Leader < 0))?.Topic));

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }

        _client.Dispose();
    }

    private void Replace(IAdminClient failed)
    {
        lock (_gate)
        {
            if (_isDisposed || _client != failed)
            {
                return;
            }

            Volatile.Write(ref _client, create());
        }

        close(failed);
    }
}
