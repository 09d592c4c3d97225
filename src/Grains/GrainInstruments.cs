using System.Diagnostics.Metrics;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>The metrics of the grains; names and units follow OpenTelemetry's conventions.</summary>
internal static class GrainInstruments
{
    public const string MeterName = "OrleansMqtt.Grains";

    private static readonly Meter Meter = new(MeterName);

    public static readonly StripedCounter Published = StripedCounter.Create(Meter, "orleansmqtt.topic.published", "{message}", "Messages handed to the log.");

    public static readonly StripedCounter Routed = StripedCounter.Create(Meter, "orleansmqtt.router.matched", "{message}", "Messages handed to a session partition.");

    public static readonly StripedCounter Read = StripedCounter.Create(Meter, "orleansmqtt.router.read", "{record}", "Records read and matched.");

    public static readonly Counter<long> Skipped = Meter.CreateCounter<long>("orleansmqtt.router.skipped", "{record}", "Records that are no message: without a topic name, or with one that no route reads from that topic.");

    public static readonly StripedCounter CaughtUp = StripedCounter.Create(Meter, "orleansmqtt.session_partition.caught_up", "{record}", "Records that a session partition read from the log itself, because a stretch was missing.");

    public static readonly StripedCounter Delivered = StripedCounter.Create(Meter, "orleansmqtt.session.delivered", "{message}", "Deliveries handed to edges.");

    public static readonly StripedCounter Queued = StripedCounter.Create(Meter, "orleansmqtt.session.queued", "{message}", "Messages put into mailboxes.");

    public static readonly StripedCounter Leased = StripedCounter.Create(Meter, "orleansmqtt.shared.leased", "{message}", "Messages of shared subscriptions handed to members.");

    public static readonly Counter<long> GivenBack = Meter.CreateCounter<long>("orleansmqtt.shared.given_back", "{message}", "Messages of shared subscriptions that a member could not deliver, and that go to another.");

    public static readonly StripedCounter Groups = StripedCounter.CreateUpDown(Meter, "orleansmqtt.shared.groups", "{group}", "Shared subscriptions.");

    public static readonly Counter<long> Wills = Meter.CreateCounter<long>("orleansmqtt.session.wills", "{message}", "Wills published.");

    public static readonly Counter<long> Dropped = Meter.CreateCounter<long>("orleansmqtt.session.dropped", "{message}", "Messages dropped, by reason.");

    public static readonly StripedCounter Sessions = StripedCounter.CreateUpDown(Meter, "orleansmqtt.session.active", "{session}", "Sessions.");

    public static readonly StripedCounter Retained = StripedCounter.CreateUpDown(Meter, "orleansmqtt.retained.topics", "{topic}", "Topics with a retained message.");

    public static readonly StripedCounter Filters = StripedCounter.CreateUpDown(Meter, "orleansmqtt.session.filters", "{filter}", "Different topic filters.");

    public static readonly StripedCounter Subscriptions = StripedCounter.CreateUpDown(Meter, "orleansmqtt.session.subscriptions", "{subscription}", "Subscriptions of sessions.");

    public static readonly StripedCounter Waiting = StripedCounter.CreateUpDown(Meter, "orleansmqtt.session.waiting", "{message}", "Messages in mailboxes.");

    public static readonly StripedCounter Expired = StripedCounter.Create(Meter, "orleansmqtt.session.expired", "{session}", "Sessions that have expired.");

    public static readonly Counter<long> PresenceDropped = Meter.CreateCounter<long>("orleansmqtt.session.presence_dropped", "{record}", "Presence records not written, because too many waited while the log was away.");

    public static readonly Counter<long> Unreadable = Meter.CreateCounter<long>("orleansmqtt.session_partition.unreadable", "{record}", "Records of the sessions topic that were passed over, because they cannot be read.");

    public static readonly KeyValuePair<string, object?> MailboxFull = new("reason", "mailbox_full");

    public static readonly KeyValuePair<string, object?> ConnectionSlow = new("reason", "connection_slow");

    public static readonly KeyValuePair<string, object?> Removed = new("reason", "removed_by_retention");
}
