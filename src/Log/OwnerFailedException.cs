namespace OrleansMqtt.Log;

/// <summary>An owner can write no more, although the log knew of no later owner. It has to be opened again, and then to see whether somebody else wrote meanwhile.</summary>
public sealed class OwnerFailedException(string ownerName, string reason) : Exception($"Owner '{ownerName}' can write no more: {reason}");
