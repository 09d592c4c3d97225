using Microsoft.Extensions.Logging;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

// Once a second: what changed, and how far the messages partitions were delivered.
internal sealed partial class SessionStore
{
    /// <summary>Records of a checkpoint's transactions, about.</summary>
    private const int CheckpointRecords = 2_000;

    private const long CheckpointBytes = 4 << 20;

    private bool _isCheckpointing;
    private bool _isStoringPositions;

    /// <summary>Stores what changed. Returns at once when the last checkpoint is still under way.</summary>
    public async Task CheckpointAsync()
    {
        if (_isCheckpointing)
        {
            return;
        }

        _isCheckpointing = true;
        try
        {
            var presence = _presence.Take();
            List<StoreRecord> records = [.. presence];
            var dirty = _dirty;
            _dirty = [];

            // The positions are those of this moment, and are stored after all that was matched up to them.
            List<StoreRecord> positions = [];
            var taken = Task.CompletedTask;
            if (!_isStoringPositions && (sessions.All.Count > 0 || DurableSessions > 0) && !links.Select(link => link.Position).SequenceEqual(_storedPositions))
            {
                AddPositions(positions);
                taken = WhenDeliveriesTaken();
            }

            var areTogether = _refused.Count == 0 && taken.IsCompleted;
            List<Task> commits = [];
            List<Session> stored = [];
            var bytes = 0L;
            foreach (var session in dirty)
            {
                if (!session.IsDirty || session.IsEnded)
                {
                    continue;
                }

                if (_refused.Contains(session))
                {
                    commits.Add(StoreAloneAsync(session));
                    continue;
                }

                if (!TryAddCheckpoint(session, records, out var added))
                {
                    continue;
                }

                bytes += added;
                stored.Add(session);
                if (records.Count >= CheckpointRecords || bytes >= CheckpointBytes)
                {
                    areTogether = false;
                    commits.Add(StoreTogetherAsync(records, stored, presence));
                    (records, stored, presence, bytes) = ([], [], [], 0);
                }
            }

            areTogether &= _refused.Count == 0;
            if (areTogether)
            {
                records.AddRange(positions);
            }

            if (records.Count > 0)
            {
                commits.Add(StoreTogetherAsync(records, stored, presence));
            }

            await Task.WhenAll(commits);
            if (positions.Count > 0 && !areTogether)
            {
                StorePositions(positions, taken).Ignore();
            }
        }
        finally
        {
            _isCheckpointing = false;
        }
    }

    /// <summary>A record that the log does not take, ever, keeps the others of its transaction from being stored: they follow with the next checkpoint.</summary>
    private async Task StoreTogetherAsync(List<StoreRecord> records, List<Session> stored, List<StoreRecord> presence)
    {
        try
        {
            await CommitAsync(records, stored);
        }
        catch (ArgumentException exception)
        {
            LogRefused(exception.Message, stored.Count);
            if (presence.Count > 0)
            {
                await CommitAsync(presence);
            }
        }
    }

    private async Task StoreAloneAsync(Session session)
    {
        List<StoreRecord> records = [];
        if (!TryAddCheckpoint(session, records, out _))
        {
            return;
        }

        try
        {
            await CommitAsync(records, [session]);
            _refused.Remove(session);
        }
        catch (ArgumentException exception)
        {
            LogRefusedAlone(exception.Message, session.ClientId);
        }
    }

    /// <summary>Adds what stores a session, or removes what is stored of it. A fault of one may not keep the others from being stored.</summary>
    private bool TryAddCheckpoint(Session session, List<StoreRecord> records, out long bytes)
    {
        var before = records.Count;
        try
        {
            bytes = AddCheckpoint(session, records);
            return true;
        }
        catch (Exception exception)
        {
            LogRefusedAlone(exception.Message, session.ClientId);
            records.RemoveRange(before, records.Count - before);
            NoteRefused(session);
            bytes = 0;
            return false;
        }
    }

    /// <returns>The bytes of what was added.</returns>
    private long AddCheckpoint(Session session, List<StoreRecord> records)
    {
        var before = records.Count;
        if (session.IsDurable || session.Group is not null || HasWaiting(session))
        {
            AddSession(session, records);
        }
        else
        {
            session.IsDirty = false;
            AddRemoval(session, records);
        }

        var bytes = 0L;
        for (var i = before; i < records.Count; i++)
        {
            bytes += records[i].Record.Value?.Length ?? 0;
        }

        return bytes;
    }

    private async Task StorePositions(List<StoreRecord> positions, Task taken)
    {
        _isStoringPositions = true;
        try
        {
            await taken;
            _refused.RemoveWhere(static session => session.IsEnded);
            if (_refused.Count == 0)
            {
                await CommitAsync(positions);
            }
            else
            {
                _storedPositions = [];
            }
        }
        catch (Exception)
        {
            // The partition has a later owner, or the next checkpoint stores them.
            _storedPositions = [];
        }
        finally
        {
            _isStoringPositions = false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The log refuses a record of {Count} sessions; each is stored by itself next ({Reason})")]
    private partial void LogRefused(string reason, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "The session of client {ClientId} cannot be stored; until it can, the positions of the partition are not stored either ({Reason})")]
    private partial void LogRefusedAlone(string reason, string clientId);
}
