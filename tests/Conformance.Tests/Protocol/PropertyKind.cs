namespace OrleansMqtt.Conformance.Tests.Protocol;

/// <summary>How the value of a property is encoded.</summary>
internal enum PropertyKind
{
    Byte,
    TwoBytes,
    FourBytes,
    VariableInteger,
    Text,
    Binary,
    Pair,
}
