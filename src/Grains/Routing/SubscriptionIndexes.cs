namespace OrleansMqtt.Grains;

/// <summary>The silo's <see cref="SubscriptionIndex"/>, or several where it has more routers than one has places for.</summary>
internal sealed class SubscriptionIndexes
{
    private readonly Lock _lock = new();
    private readonly List<SubscriptionIndex> _indexes = [];

    public RouterIndex Open()
    {
        lock (_lock)
        {
            foreach (var index in _indexes)
            {
                if (index.TryOpen() is { } opened)
                {
                    return opened;
                }
            }

            _indexes.Add(new());
            return _indexes[^1].TryOpen()!;
        }
    }
}
