using System.Globalization;

namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>The processor time of the machine up to one moment, from /proc/stat, in ticks of all its processors.</summary>
internal readonly record struct MachineSample(long Total, long Stolen)
{
    /// <summary>A line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of the first two.</summary>
    private const int Fields = 8;

    public static MachineSample Take() => Parse(File.ReadLines("/proc/stat").First());

    public static MachineSample Parse(string line)
    {
        var ticks = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(Fields).Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        return new(ticks.Sum(), ticks[^1]);
    }

    /// <summary>How much of the processor time since then other machines of the same host took from this one, in percent: latencies of such a time are theirs, too.</summary>
    public double StolenPercentSince(MachineSample earlier) => Total > earlier.Total ? 100.0 * (Stolen - earlier.Stolen) / (Total - earlier.Total) : 0;
}
