namespace OrleansMqtt;

/// <summary>Acknowledgements that clients of one edge sent, in the order of their arrival.</summary>
[GenerateSerializer, Immutable, Alias("acknowledgement-batch")]
public sealed class AcknowledgementBatch
{
    /// <summary>The acknowledgements.</summary>
    [Id(0)] public required ArraySegment<Acknowledgement> Items { get; init; }
}
