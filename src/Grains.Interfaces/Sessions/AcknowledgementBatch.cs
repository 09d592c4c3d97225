namespace OrleansMqtt;

/// <summary>Acknowledgements that clients of one edge sent, in the order of their arrival.</summary>
[GenerateSerializer, Immutable, Alias("acknowledgement-batch")]
public sealed class AcknowledgementBatch
{
    /// <summary>
    /// The owner's generation that the edge knows: an owner takes nothing of an earlier one, because the edge has counted it in what it handed over (<see cref="IEdgeService.HandOver"/>).
    /// </summary>
    [Id(1)] public required long Generation { get; init; }

    /// <summary>The acknowledgements.</summary>
    [Id(0)] public required ArraySegment<Acknowledgement> Items { get; init; }
}
