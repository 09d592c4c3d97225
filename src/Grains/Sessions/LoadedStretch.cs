namespace OrleansMqtt.Grains;

/// <summary>Messages of a stretch [<paramref name="From"/>, <paramref name="To"/>) of a partition that was read back from the log.</summary>
internal sealed record LoadedStretch(long From, long To, MqttMessage[] Messages)
{
    public static LoadedStretch Empty { get; } = new(0, 0, []);

    public bool Covers(long offset) => offset >= From && offset < To;

    public MqttMessage? Find(long offset)
    {
        var (low, high) = (0, Messages.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (Messages[middle].Offset == offset)
            {
                return Messages[middle];
            }

            (low, high) = Messages[middle].Offset < offset ? (middle + 1, high) : (low, middle - 1);
        }

        return null;
    }
}
