using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

// Where the messages of references come from: the newest are kept, the others are read from the log, for all sessions that wait for them at once.
internal sealed partial class SessionSender
{
    /// <summary>Finds a message that is to be sent now; null when the log does not hold it any more. False when it has to be read first, which is begun.</summary>
    public bool Find(Session session, MessageReference reference, out MqttMessage? message)
    {
        message = null;
        if (reference.Link < sources.Length)
        {
            var link = sources[reference.Link];
            message = link.Recent.Take(reference.Offset) ?? link.Loaded.Find(reference.Offset);
            if (message is not null)
            {
                return true;
            }

            if (!link.Loaded.Covers(reference.Offset))
            {
                if (stored.Find(link.Source, reference.Offset) is not { } stretch)
                {
                    RequestLoad(session, link, reference.Offset);
                    return false;
                }

                link.Loaded = stretch;
                ReadAhead(session, link);
                message = stretch.Find(reference.Offset);
                if (message is not null)
                {
                    return true;
                }
            }
        }

        GrainInstruments.Dropped.Add(1, GrainInstruments.Removed);
        return true;
    }

    /// <summary>Finds a message that was in flight before; see <see cref="Find"/>.</summary>
    private bool FindAgain(Session session, ushort packetId, MessageReference reference, out MqttMessage? message)
    {
        if (session.Copies?.Find(packetId, reference) is not { } copy)
        {
            return Find(session, reference, out message);
        }

        message = copy.Message;
        if (message is null)
        {
            Load(session, packetId, copy).Ignore();
            return false;
        }

        copy.Release();
        return true;
    }

    private async Task Load(Session session, ushort packetId, InflightCopy copy)
    {
        session.IsLoading = true;
        copy.Message = await copies.ReadAsync(session.ClientId, packetId, copy.Stored!);
        session.IsLoading = false;
        if (copy.Message is null && session.Copies?.Find(packetId, copy.Reference) == copy)
        {
            session.Copies.End(packetId);
        }

        Pump(session);
        Flush();
        if (session.Edge is null)
        {
            copy.Release();
        }
    }

    private void RequestLoad(Session session, MessageSource link, long offset)
    {
        link.Waiting.Add(session, offset);
        if (!link.IsLoading)
        {
            Load(link).Ignore();
        }
    }

    private async Task Load(MessageSource link)
    {
        link.IsLoading = true;
        while (link.Waiting.Next() is { } from)
        {
            link.Loaded = await Read(link, from);
            foreach (var session in link.Waiting.TakeCovered(link.Loaded))
            {
                ReadAhead(session, link);
                Pump(session);
            }

            Flush();
        }

        link.IsLoading = false;
        link.Loaded = LoadedStretch.Empty;
    }

    /// <summary>A group gives its messages to many clients, which together are quick.</summary>
    private void ReadAhead(Session session, MessageSource link)
    {
        if (session.Group is not null && link is RouterLink { Position: var end })
        {
            stored.ReadAhead(link.Source, link.Loaded, end);
        }
    }

    private async Task<LoadedStretch> Read(MessageSource link, long from)
    {
        while (true)
        {
            try
            {
                var stretch = await stored.ReadAsync(link.Source, from);
                if (stretch.Covers(from))
                {
                    return stretch;
                }

                await Task.Delay(10);
            }
            catch (OffsetOutOfRangeException exception) when (exception.Available.Start > from)
            {
                LogRemoved(sessionPartition, link.Source, from, exception.Available.Start);
                return new(from, Math.Max(from + 1, exception.Available.Start), []);
            }
            catch (OffsetOutOfRangeException)
            {
                // Somebody else began the read, for an offset that is gone.
            }
            catch (Exception exception)
            {
                LogReadFailed(exception, sessionPartition, link.Source, from);
                await Task.Delay(200);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages {From} to {Start} of {Source} were removed by retention before clients of session partition {SessionPartition} got them")]
    private partial void LogRemoved(int sessionPartition, TopicPartitionId source, long from, long start);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not read {Source} at {Offset}; it tries again")]
    private partial void LogReadFailed(Exception exception, int sessionPartition, TopicPartitionId source, long offset);
}
