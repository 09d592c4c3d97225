using Xunit.v3;

namespace OrleansMqtt.Conformance.Tests;

/// <summary>
/// Names the normative statements of a specification that a test shows, or the section for text that carries no number. They are traits, "MQTT 3.1.1" and "MQTT 5.0", because the two
/// specifications use the same numbers for different statements.
/// </summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class StatementAttribute(MqttVersion version, params string[] ids) : Attribute, ITraitAttribute
{
    public MqttVersion Version => version;

    public IReadOnlyList<string> Ids => ids;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() =>
        [.. ids.Select(id => KeyValuePair.Create(version is V5 ? "MQTT 5.0" : "MQTT 3.1.1", id))];
}
