namespace OrleansMqtt.Log;

/// <summary>A later owner of the same name exists.</summary>
public sealed class OwnerFencedException(string ownerName) : Exception($"Owner '{ownerName}' was fenced by a later owner of that name.");
