using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// Sends the retained messages that subscriptions find, page by page: the next page is read when the client has taken the last one, as its receive window says, or its edge for QoS 0.
/// Each message goes the way of all others: into the window, or the mailbox. Used inside the turns of the partition's grain only.
/// </summary>
internal sealed partial class RetainedDelivery(
    IMessageLog log, IReadOnlyList<TopicPartitionId> partitions, MessageSource[] sources, Func<int, IRetainedViewGrain> views, SessionSender sender,
    IdentifierSets identifierSets, SessionStore store, int sessionPartition, ILogger logger)
{
    /// <summary>The most messages of a page that may fill a window.</summary>
    private const int WindowPage = 256;

    private const int QoS0Page = 1_024;
    private const int PageBytes = 256 * 1024;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>Lets the retained partitions begin to load.</summary>
    public async Task Wake()
    {
        // Outside of the activation, which waits for no other grain.
        await Task.Yield();
        for (var partition = 0; partition < partitions.Count; partition++)
        {
            try
            {
                await views(partition).Start();
            }
            catch (Exception exception)
            {
                LogReadFailed(exception, sessionPartition, partitions[partition]);
            }
        }
    }

    /// <summary>Whether a subscription is sent what is retained (MQTT 5, 3.8.3.1): never a shared one.</summary>
    public static bool IsWanted(Subscription subscription, bool isNew) =>
        (subscription.RetainHandling == 0 || (subscription.RetainHandling == 1 && isNew)) && !subscription.Filter.StartsWith("$share/", StringComparison.Ordinal);

    /// <summary>Goes on with what a session had stored.</summary>
    public static void Resume(Session session)
    {
        foreach (var cursor in session.Retained?.All ?? [])
        {
            if (session.Subscriptions.TryGetValue(cursor.Filter, out var subscription))
            {
                subscription.Cursor = cursor;
            }
        }
    }

    /// <summary>
    /// Begins to send what subscriptions find. The ends of the partitions are asked for after the routers know the subscriptions: what is published meanwhile may be sent twice, but
    /// is never missed; what is published after this returns is delivered once.
    /// </summary>
    public async Task Begin(Session session, List<string> filters)
    {
        List<RetainedCursor> cursors = [];
        foreach (var filter in filters)
        {
            Cancel(session, filter);
            if (session.Subscriptions.TryGetValue(filter, out var subscription))
            {
                cursors.Add(subscription.Cursor = new(filter, partitions.Count));
            }
        }

        var ranges = await log.GetOffsetsAsync(partitions, CancellationToken.None);
        foreach (var cursor in cursors)
        {
            if (session.IsEnded || !session.Subscriptions.TryGetValue(cursor.Filter, out var subscription) || subscription.Cursor != cursor)
            {
                continue;
            }

            cursor.Start(ranges);
            (session.Retained ??= new()).Add(cursor);
            store.MarkDirty(session);
        }

        Advance(session);
    }

    /// <summary>A subscription has ended.</summary>
    public static void Cancel(Session session, string filter) => session.Retained?.Remove(filter);

    /// <summary>What was sent last is written to the client.</summary>
    public void OnWritten(Session session)
    {
        if (session.Retained is { } backlog)
        {
            backlog.AwaitsMark = false;
            Advance(session);
        }
    }

    /// <summary>Reads the next page if the session can take it.</summary>
    public void Advance(Session session)
    {
        if (session.Retained is not { IsReading: false, AwaitsMark: false } backlog || session.IsEnded || !session.IsReady || !IsTaken(session, backlog))
        {
            return;
        }

        while (backlog.Current is { } cursor)
        {
            session.Subscriptions.TryGetValue(cursor.Filter, out var subscription);
            if (subscription is not null && cursor.Partition >= 0)
            {
                if (subscription.Options.MaximumQoS == 0 || session.Window.IsOpen)
                {
                    Read(session, backlog, cursor, subscription).Ignore();
                }

                return;
            }

            backlog.Remove(cursor);
            store.MarkDirty(session);
            if (subscription?.Cursor == cursor)
            {
                subscription.Cursor = null;
            }
        }

        session.Retained = null;
    }

    private static bool IsTaken(Session session, RetainedBacklog backlog) => session.Mailbox.Count == 0 || session.Mailbox.Head >= backlog.MailboxEnd;

    private async Task Read(Session session, RetainedBacklog backlog, RetainedCursor cursor, SessionSubscription subscription)
    {
        backlog.IsReading = true;
        var (epoch, partition) = (session.Epoch, cursor.Partition);
        RetainedPage? page = null;
        try
        {
            var atLeast = cursor.Before(partition);
            if (cursor.IsStale)
            {
                // From now on topics are remembered again.
                cursor.IsStale = false;
                atLeast = (await log.GetOffsetsAsync([partitions[partition]], CancellationToken.None))[0].End;
            }

            page = await views(partition).Read(new()
            {
                Filter = cursor.Filter,
                From = cursor.From(partition),
                Before = cursor.Before(partition),
                AtLeast = atLeast,
                MaximumCount = subscription.Options.MaximumQoS == 0 ? QoS0Page : Math.Clamp(session.Window.Room, 1, WindowPage),
                MaximumBytes = PageBytes,
            });
        }
        catch (Exception exception)
        {
            LogReadFailed(exception, sessionPartition, partitions[partition]);
            cursor.IsStale = true;
            await Task.Delay(RetryDelay);
        }

        backlog.IsReading = false;
        if (session.Retained != backlog || session.IsEnded)
        {
            return;
        }

        // A page for an earlier connection, or an earlier subscription, is read again.
        if (page is not null && session.Epoch == epoch && session.Edge is not null && backlog.Current == cursor && !cursor.IsStale)
        {
            Place(session, backlog, cursor, subscription.Options, sources[partition], page.Messages);
            cursor.MoveTo(partition, page.Next);
            store.MarkDirty(session);
        }

        Advance(session);
        sender.Flush();
    }

    private void Place(Session session, RetainedBacklog backlog, RetainedCursor cursor, SubscriptionOptions options, MessageSource source, MqttMessage[] messages)
    {
        var edge = session.Edge!;
        var identifiers = identifierSets.Add(null, options.Identifier);
        foreach (var message in messages)
        {
            if (cursor.HasNewer(message.Topic) || (options.NoLocal && message.PublisherClientId == session.ClientId))
            {
                continue;
            }

            var qos = Math.Min(message.QoS, options.MaximumQoS);
            if (qos == 0)
            {
                if (!cursor.SkipsQoS0)
                {
                    edge.Add(session.ConnectionId, message, packetId: 0, qos: 0, isDuplicate: false, identifiers, Delivery.NoSource, isRetained: true, isPaced: true);
                    backlog.AwaitsMark = true;
                }

                continue;
            }

            MessageReference reference = new(message.Offset, (ushort)source.Index, qos, Retain: true);
            if (session.Mailbox.Count == 0 && session.Window.IsOpen && session.IsReady)
            {
                sender.Send(session, reference, message, identifiers);
            }
            else
            {
                session.Mailbox.Enqueue(reference);
                source.Recent.Add(message);
                backlog.MailboxEnd = session.Mailbox.Tail;
            }
        }

        if (backlog.AwaitsMark)
        {
            edge.AddMark(session.ConnectionId);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not read retained messages of {Partition}; it tries again")]
    private partial void LogReadFailed(Exception exception, int sessionPartition, TopicPartitionId partition);
}
