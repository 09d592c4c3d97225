using System.Globalization;
using System.Reflection;
using System.Text;

namespace OrleansMqtt.Edge.SystemTopics;

/// <summary>The topics below <c>$SYS</c>, by the names and in the forms that mosquitto made common.</summary>
internal static class SystemTopicTree
{
    private static readonly string Version = $"OrleansMqtt version {typeof(SystemTopicTree).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}";

    /// <summary>Each topic with its value.</summary>
    public static MqttMessage[] MakeMessages(ServerStatistics statistics, DateTimeOffset now)
    {
        var nowMilliseconds = now.ToUnixTimeMilliseconds();
        var uptime = Math.Max(0, nowMilliseconds - statistics.StartedAt) / 1000;

        // They are asked at slightly different times.
        var total = Math.Max(statistics.Sessions, statistics.Connected);
        var disconnected = total - statistics.Connected;
        return
        [
            Make("version", Version),
            Make("uptime", $"{uptime} seconds"),
            MakeNumber("clients/connected", statistics.Connected),
            MakeNumber("clients/active", statistics.Connected),
            MakeNumber("clients/disconnected", disconnected),
            MakeNumber("clients/inactive", disconnected),
            MakeNumber("clients/total", total),
            MakeNumber("clients/maximum", statistics.MaximumConnected),
            MakeNumber("clients/expired", statistics.Expired),
            MakeNumber("messages/received", statistics.PacketsReceived),
            MakeNumber("messages/sent", statistics.PacketsSent),
            MakeNumber("messages/stored", statistics.Retained + statistics.Waiting),
            MakeNumber("store/messages/count", statistics.Retained + statistics.Waiting),
            MakeNumber("retained messages/count", statistics.Retained),
            MakeNumber("subscriptions/count", statistics.Subscriptions),
            MakeNumber("shared_subscriptions/count", statistics.SharedSubscriptions),
            MakeNumber("publish/messages/received", statistics.PublishesReceived),
            MakeNumber("publish/messages/sent", statistics.PublishesSent),
            MakeNumber("publish/messages/dropped", statistics.PublishesDropped),
            MakeNumber("publish/bytes/received", statistics.PayloadReceived),
            MakeNumber("publish/bytes/sent", statistics.PayloadSent),
            MakeNumber("bytes/received", statistics.BytesReceived),
            MakeNumber("bytes/sent", statistics.BytesSent),
        ];

        MqttMessage Make(string name, string value) => new()
        {
            Topic = $"$SYS/broker/{name}",
            Payload = Encoding.UTF8.GetBytes(value),
            QoS = 0,
            Retain = true,
            PublisherClientId = "",
            TimestampMilliseconds = nowMilliseconds,
        };

        MqttMessage MakeNumber(string name, long value) => Make(name, value.ToString(CultureInfo.InvariantCulture));
    }
}
