using System.Globalization;

namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>CPU time and resident memory of a process at one moment, from /proc.</summary>
internal readonly record struct ProcessSample(double CpuSeconds, long ResidentBytes)
{
    // USER_HZ; the kernel has shown 100 to user programs on all architectures that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Null when there is no such process (any more).</summary>
    public static ProcessSample? Take(int processId)
    {
        try
        {
            // The command name stands in parentheses and may hold spaces: fields are counted after the last one.
            string stat = File.ReadAllText($"/proc/{processId}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            double cpu = (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
            long pages = long.Parse(fields[21], CultureInfo.InvariantCulture);
            return new ProcessSample(cpu, pages * Environment.SystemPageSize);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
