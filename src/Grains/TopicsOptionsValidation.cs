using Microsoft.Extensions.Options;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

internal sealed class TopicsOptionsValidation : IValidateOptions<TopicsOptions>
{
    public ValidateOptionsResult Validate(string? name, TopicsOptions options)
    {
        List<string> failures = [];
        (string Setting, TopicOptions Topic)[] topics = [("Messages", options.Messages), ("Retained", options.Retained), ("Sessions", options.Sessions)];
        foreach (var (setting, topic) in topics)
        {
            Add(CheckTopicName($"Topics:{setting}:Name", topic.Name));
            Add(CheckPartitions($"Topics:{setting}:Partitions", topic.Partitions));
        }

        foreach (var same in topics.GroupBy(topic => topic.Topic.Name).Where(group => group.Count() > 1))
        {
            failures.Add($"Topics:{same.Last().Setting}:Name is '{same.Key}': the messages, retained and sessions topics must be three different topics.");
        }

        if (options.HeaderPrefix.Length is 0 or > 100)
        {
            failures.Add($"Topics:HeaderPrefix is '{options.HeaderPrefix}': it must have 1 to 100 characters.");
        }

        Add(CheckQoS("Topics:DefaultQoS", options.DefaultQoS));
        for (var i = 0; i < options.Clients.Count; i++)
        {
            if (!ClientPattern.IsValid(options.Clients[i]))
            {
                failures.Add($"Topics:Clients:{i} is '{options.Clients[i]}': it must be an MQTT topic filter with {{identity}} as one of its levels, such as place/{{identity}}/#.");
            }
        }

        for (var i = 0; i < options.Routes.Count; i++)
        {
            failures.AddRange(RouteValidation.Validate(options, i));
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Add(string? failure)
        {
            if (failure is not null)
            {
                failures.Add(failure);
            }
        }
    }

    internal static string? CheckTopicName(string setting, string value) =>
        TopicSpecification.IsValidName(value) ? null : $"{setting} is '{value}': it must be a Kafka topic name, 1 to 249 letters, digits, '.', '_' and '-'.";

    internal static string? CheckPartitions(string setting, int value) => value is >= 1 and <= 1_000 ? null : $"{setting} is {value}: it must be 1 to 1000.";

    internal static string? CheckQoS(string setting, byte value) => value <= 2 ? null : $"{setting} is {value}: it must be 0, 1 or 2.";
}
