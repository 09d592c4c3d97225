using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime.Services;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>The members by Orleans' membership and what they say of themselves (<see cref="IMemberService"/>).</summary>
internal sealed partial class ClusterMembers : GrainServiceClient<IMemberService>, IMembers, ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>A silo that comes waits so long for the others before it counts without them.</summary>
    private static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(5);

    private readonly IClusterMembershipService _membership;
    private readonly ILocalSiloDetails _silo;
    private readonly TimeProvider _time;
    private readonly ILogger<ClusterMembers> _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<SiloAddress, MemberState> _states = [];
    private readonly HashSet<SiloAddress> _asked = [];
    private volatile Dictionary<SiloAddress, MemberState> _active = [];
    private volatile MemberState _own;
    private bool _isSettled;
    private Task _listening = Task.CompletedTask;

    public ClusterMembers(
        IServiceProvider services, IClusterMembershipService membership, ILocalSiloDetails silo, IOptions<MemberOptions> options, TimeProvider time, ILogger<ClusterMembers> logger)
        : base(services)
    {
        (_membership, _silo, _time, _logger) = (membership, silo, time, logger);
        _own = new() { OwnsPartitions = options.Value.OwnsPartitions, HasEdge = options.Value.HasEdge };
    }

    public event Action? Changed;

    public IReadOnlyDictionary<SiloAddress, MemberState> Active => _active;

    public MemberState Own => _own;

    public MemberState? Find(SiloAddress silo)
    {
        lock (_lock)
        {
            return silo.Equals(_silo.SiloAddress) ? _own : _states.GetValueOrDefault(silo);
        }
    }

    // Calls to other silos are possible from this stage on.
    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(nameof(ClusterMembers), ServiceLifecycleStage.ApplicationServices, Start, Stop);

    public void Dispose() => _stop.Dispose();

    public async Task ChangeAsync(Func<MemberState, MemberState> change)
    {
        MemberState own;
        lock (_lock)
        {
            var changed = change(_own);
            if (changed == _own)
            {
                return;
            }

            _own = own = changed with { Version = _own.Version + 1 };
        }

        Update();
        var others = _membership.CurrentSnapshot.Members.Values.Where(member => member.Status is SiloStatus.Joining or SiloStatus.Active && !member.SiloAddress.Equals(_silo.SiloAddress));
        await Task.WhenAll(others.Select(member => TellAsync(member.SiloAddress, own))).WaitAsync(CallLimit, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Takes what another silo says of itself.</summary>
    public void Note(SiloAddress silo, MemberState state)
    {
        lock (_lock)
        {
            if (_states.TryGetValue(silo, out var known) && known.Version >= state.Version)
            {
                return;
            }

            _states[silo] = state;
        }

        LogNoted(silo, state);
        Update();
    }

    private Task Start(CancellationToken cancellationToken)
    {
        _listening = Task.Run(ListenAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    private async Task Stop(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _listening.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ListenAsync()
    {
        var patience = Task.Delay(FirstPatience, _time, _stop.Token);
        _ = patience.ContinueWith(_ => Settle(), _stop.Token, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        try
        {
            await foreach (var snapshot in _membership.MembershipUpdates.WithCancellation(_stop.Token))
            {
                Compare(snapshot);
                Update();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    private void Settle()
    {
        lock (_lock)
        {
            _isSettled = true;
        }

        Update();
    }

    /// <summary>Asks silos that are new, and forgets those that are gone.</summary>
    private void Compare(ClusterMembershipSnapshot snapshot)
    {
        lock (_lock)
        {
            foreach (var gone in _states.Keys.Concat(_asked).Where(silo => snapshot.GetSiloStatus(silo) is SiloStatus.Dead or SiloStatus.None).ToArray())
            {
                _states.Remove(gone);
                _asked.Remove(gone);
            }

            foreach (var member in snapshot.Members.Values)
            {
                if (member.Status == SiloStatus.Active && !member.SiloAddress.Equals(_silo.SiloAddress) && _asked.Add(member.SiloAddress))
                {
                    _ = AskAsync(member.SiloAddress);

                    // It may have asked before the last change, and not have been known here when the others were told.
                    if (_own.Version > 0)
                    {
                        _ = TellAsync(member.SiloAddress, _own);
                    }
                }
            }
        }
    }

    private Task AskAsync(SiloAddress silo) => RepeatAsync(silo, () => true, async service => Note(silo, await service.Get()));

    private Task TellAsync(SiloAddress silo, MemberState own) => RepeatAsync(silo, () => ReferenceEquals(own, _own), service => service.Note(_silo.SiloAddress, own));

    /// <summary>Until it succeeds, the other silo is gone, or it is not wanted any more.</summary>
    private async Task RepeatAsync(SiloAddress silo, Func<bool> isWanted, Func<IMemberService, ValueTask> call)
    {
        await Task.Yield();
        for (var pause = FirstPause; !_stop.IsCancellationRequested && isWanted() && _membership.CurrentSnapshot.GetSiloStatus(silo) is SiloStatus.Joining or SiloStatus.Active; pause = Next(pause))
        {
            try
            {
                await call(GetGrainService(silo)).AsTask().WaitAsync(CallLimit, _time, _stop.Token);
                return;
            }
            catch (Exception exception)
            {
                LogNoAnswer(exception, silo);
            }

            await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        static TimeSpan Next(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;
    }

    private void Update()
    {
        lock (_lock)
        {
            Dictionary<SiloAddress, MemberState> active = [];
            var isComplete = true;
            foreach (var member in _membership.CurrentSnapshot.Members.Values.Where(static member => member.Status == SiloStatus.Active))
            {
                if (member.SiloAddress.Equals(_silo.SiloAddress))
                {
                    active[member.SiloAddress] = _own;
                }
                else if (_states.TryGetValue(member.SiloAddress, out var state))
                {
                    active[member.SiloAddress] = state;
                }
                else
                {
                    isComplete = false;
                }
            }

            // Before it knows the others a silo that comes would take itself for the only one.
            _isSettled |= isComplete;
            if (!_isSettled || (active.Count == _active.Count && active.All(pair => _active.TryGetValue(pair.Key, out var before) && before == pair.Value)))
            {
                return;
            }

            _active = active;
        }

        try
        {
            Changed?.Invoke();
        }
        catch (Exception exception)
        {
            // Whoever is told of a change may fail; the next one is to be seen still.
            LogChangeFailed(exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Silo {Silo}: {State}")]
    private partial void LogNoted(SiloAddress silo, MemberState state);

    [LoggerMessage(Level = LogLevel.Error, Message = "A change of the members of the cluster was not taken by all who are told of it.")]
    private partial void LogChangeFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The silo {Silo} does not answer; it is asked again.")]
    private partial void LogNoAnswer(Exception exception, SiloAddress silo);
}
