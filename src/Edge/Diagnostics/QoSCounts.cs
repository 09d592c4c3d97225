using System.Runtime.CompilerServices;

namespace OrleansMqtt.Edge.Diagnostics;

/// <summary>A number of messages for each QoS.</summary>
[InlineArray(3)]
internal struct QoSCounts
{
    private int _first;
}
