namespace OrleansMqtt.Log;

/// <summary>A record and the topic that it goes to.</summary>
public readonly record struct TopicRecord(string Topic, LogRecord Record);
