using Orleans.Storage;

namespace OrleansMqtt.Grains;

/// <summary>Lets the grain storage write sessions in their own layout, which other versions and programs can read.</summary>
internal sealed class SessionRecordSerializer : IGrainStorageSerializer
{
    public BinaryData Serialize<T>(T? input) => new(SessionRecordCodec.Encode((SessionRecord)(object)input!));

    public T Deserialize<T>(BinaryData input) => (T)(object)SessionRecordCodec.Decode(input.ToMemory().Span);
}
