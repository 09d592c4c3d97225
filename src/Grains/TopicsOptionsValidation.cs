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
            CheckTopicName($"Topics:{setting}:Name", topic.Name);
            CheckPartitions($"Topics:{setting}:Partitions", topic.Partitions);
        }

        foreach (var same in topics.GroupBy(topic => topic.Topic.Name).Where(group => group.Count() > 1))
        {
            failures.Add($"Topics:{same.Last().Setting}:Name is '{same.Key}': the messages, retained and sessions topics must be three different topics.");
        }

        if (options.HeaderPrefix.Length is 0 or > 100)
        {
            failures.Add($"Topics:HeaderPrefix is '{options.HeaderPrefix}': it must have 1 to 100 characters.");
        }

        CheckQoS("Topics:DefaultQoS", options.DefaultQoS);
        for (var i = 0; i < options.Routes.Count; i++)
        {
            var route = options.Routes[i];
            if (!TopicFilter.IsValid(route.Filter))
            {
                failures.Add($"Topics:Routes:{i}:Filter is '{route.Filter}': it must be an MQTT topic filter, such as site/+/telemetry or site/#.");
            }

            CheckTopicName($"Topics:Routes:{i}:Topic", route.Topic);
            CheckPartitions($"Topics:Routes:{i}:Partitions", route.Partitions);
            CheckQoS($"Topics:Routes:{i}:DefaultQoS", route.DefaultQoS);
            if (route.Topic == options.Retained.Name || route.Topic == options.Sessions.Name)
            {
                failures.Add($"Topics:Routes:{i}:Topic is '{route.Topic}': it must not be the retained or the sessions topic.");
            }
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void CheckTopicName(string setting, string value)
        {
            if (!TopicSpecification.IsValidName(value))
            {
                failures.Add($"{setting} is '{value}': it must be a Kafka topic name, 1 to 249 letters, digits, '.', '_' and '-'.");
            }
        }

        void CheckPartitions(string setting, int value)
        {
            if (value is < 1 or > 1_000)
            {
                failures.Add($"{setting} is {value}: it must be 1 to 1000.");
            }
        }

        void CheckQoS(string setting, byte value)
        {
            if (value > 2)
            {
                failures.Add($"{setting} is {value}: it must be 0, 1 or 2.");
            }
        }
    }
}
