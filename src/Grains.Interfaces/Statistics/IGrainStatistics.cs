namespace OrleansMqtt;

/// <summary>The numbers of the grains that live in this process.</summary>
public interface IGrainStatistics
{
    /// <summary>With the numbers of the grains added.</summary>
    ServerStatistics AddTo(ServerStatistics statistics);
}
