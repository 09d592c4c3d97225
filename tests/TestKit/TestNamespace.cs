namespace OrleansMqtt.TestKit;

/// <summary>A network namespace of a <see cref="TestNetwork"/>.</summary>
public sealed record TestNamespace(string Name, string Address);
