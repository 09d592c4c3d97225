using Orleans.Storage;

namespace OrleansMqtt.Storage.Kafka;

/// <summary>Options of <see cref="LogGrainStorage"/>.</summary>
public sealed class LogGrainStorageOptions : IStorageProviderSerializerOptions
{
    /// <summary>The compacted topic. The log has to know it (<c>EnsureTopicsAsync</c>) before the silo reaches <see cref="InitStage"/>.</summary>
    public string Topic { get; set; } = "";

    /// <summary>The grain that owns a partition of the topic; by default a grain of the provider's own.</summary>
    public Func<IGrainFactory, int, IStoragePartition>? Partition { get; set; }

    /// <summary>The key of a state, from its name and its grain: different ones for different states. By default <c>grain type/grain key/name</c>.</summary>
    public Func<string, GrainId, string> Key { get; set; } = static (stateName, grainId) => $"{grainId}/{stateName}";

    /// <summary>What decides the partition of a grain's states, as Kafka's default partitioner does with a key: its UTF-8 bytes. By default the key of the state.</summary>
    public Func<GrainId, string>? PartitionKey { get; set; }

    /// <summary>Makes bytes of states; by default Orleans' binary serializer.</summary>
    public IGrainStorageSerializer GrainStorageSerializer { get; set; } = null!;

    /// <summary>The stage of the silo's start at which the topic is checked.</summary>
    public int InitStage { get; set; } = ServiceLifecycleStage.ApplicationServices;
}
