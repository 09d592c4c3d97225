using OrleansMqtt.LoadGenerator.Mqtt;
using OrleansMqtt.Sessions.Tests.Clients;
using OrleansMqtt.Sessions.Tests.Servers;
using Xunit;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>The model finds each kind of fault, and nothing where there is none.</summary>
public sealed class ModelTests
{
    private readonly HistoryModel _model = new(new PerfectServer());
    private readonly ModelClient _client;
    private readonly ModelClient _publisher;

    public ModelTests()
    {
        _client = _model.AddClient("c", 5);
        _publisher = _model.AddClient("p", 5);
        Connect(_client, false);
        Connect(_publisher, false);
        _client.Subscribing(1, "t", 2);
        _client.Subscribed(1, 2);
    }

    [Fact]
    public void A_message_that_came_once_is_right()
    {
        Publish("m0", 2);
        Receive("m0", 2);
        Finish(1);
        Assert.Empty(_client.Missing());
        Assert.Empty(_model.Faults);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_message_that_was_acknowledged_and_did_not_come_is_missing(int qos)
    {
        Publish("m0", qos);
        Assert.Equal([$"c has not got m0 (QoS {qos}, t)"], _client.Missing());
    }

    [Fact]
    public void Neither_an_unacknowledged_publish_nor_one_before_SUBACK_is_missing()
    {
        _publisher.Publishing(new(1, "t", "m0", 1), isDuplicate: false);
        _client.Subscribing(2, "u", 1);
        _publisher.Publishing(new(2, "u", "m1", 1), isDuplicate: false);
        _client.Subscribed(2, 1);
        _publisher.Acknowledged(new(2, "u", "m1", 1));
        Assert.Empty(_client.Missing());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_message_with_another_packet_identifier_is_double(int qos)
    {
        Publish("m0", qos);
        Receive("m0", qos, 1);
        Reconnect();
        Receive("m0", qos, 2, isDuplicate: true);
        Assert.Contains($"c: m0 (QoS {qos}, t) came 2 times with QoS {qos}", _model.Faults);
    }

    [Fact]
    public void A_QoS_2_message_after_its_PUBREL_is_double_even_with_a_crash_between()
    {
        Publish("m0", 2);
        Receive("m0", 2);
        _client.Answering(Answers.PubRec, 1);
        _client.Released(1);
        _model.Crashing();
        _client.Disconnected("gone");
        Connect(_client, true);
        Receive("m0", 2, isDuplicate: true);
        Assert.Contains("c: m0 (QoS 2, t) came 2 times with QoS 2", _model.Faults);
    }

    [Fact]
    public void A_QoS_1_message_may_come_again_after_a_crash()
    {
        Publish("m0", 1);
        Receive("m0", 1);
        _model.Crashing();
        _client.Disconnected("gone");
        Connect(_client, true);
        Receive("m0", 1, 7);
        Assert.Empty(_model.Faults);
    }

    [Fact]
    public void What_was_not_answered_has_to_come_again_with_DUP_and_in_order()
    {
        Publish("m0", 1);
        Publish("m1", 2);
        Receive("m0", 1, 1);
        Receive("m1", 2, 2);
        Reconnect();
        Assert.Equal(["c has not got m0 (QoS 1, t) again, which it had not answered", "c has not got m1 (QoS 2, t) again, which it had not answered"], _client.Missing());
        Receive("m1", 2, 2, isDuplicate: true, isNew: false);
        Receive("m0", 1, 1, isDuplicate: false);
        Assert.Empty(_client.Missing());
        Assert.Equal(["c: m0 (QoS 1, t) came again without DUP", "c: m0 (QoS 1, t) came again after one that was later"], _model.Faults);
    }

    [Fact]
    public void PUBREL_has_to_come_and_again_when_it_was_not_answered()
    {
        Publish("m0", 2);
        Receive("m0", 2);
        _client.Answering(Answers.PubRec, 1);
        Assert.Equal(["c has not got PUBREL for m0 (QoS 2, t)"], _client.Missing());
        _client.Released(1);
        Reconnect();
        Assert.Equal(["c has not got PUBREL again for m0 (QoS 2, t), which it had not answered"], _client.Missing());
    }

    [Fact]
    public void A_later_message_of_a_publisher_and_topic_may_not_come_first()
    {
        Publish("m0", 1);
        Publish("m1", 2);
        Receive("m1", 2, 1);
        Receive("m0", 1, 2);
        Assert.Equal(["c: m0 (QoS 1, t) came after m1 (QoS 2, t)"], _model.Faults);
    }

    [Fact]
    public void A_message_that_was_sent_again_may_come_late_at_QoS_0_because_its_first_copy_found_nobody()
    {
        Subscribe(2, "u", 0x20);
        OutgoingPublish publish = new(1, "u", "m0", 1);
        _publisher.Publishing(publish, isDuplicate: false);
        Publish("m1", 1, topic: "u");
        _publisher.Publishing(publish, isDuplicate: true);
        _client.Received(new(0, false, 0, "u", "m1", true));
        _client.Received(new(0, false, 0, "u", "m0", true));
        Assert.Empty(_model.Faults);
    }

    [Fact]
    public void A_packet_identifier_in_use_may_not_carry_another_message()
    {
        Publish("m0", 1);
        Publish("m1", 1);
        Receive("m0", 1, 1);
        Receive("m1", 1, 1);
        Assert.Equal(["c: packet identifier 1 is in use for m0 (QoS 1, t) and came with m1 (QoS 1, t)"], _model.Faults);
    }

    [Fact]
    public void A_message_without_a_subscription_or_with_the_wrong_QoS_is_a_fault()
    {
        Publish("m0", 1);
        Receive("m0", 0);
        _client.Unsubscribing(2, "t");
        _client.Unsubscribed(2);
        Publish("m1", 1);
        Receive("m1", 1);
        Assert.Equal(["c: m0 (QoS 1, t) came with QoS 0", "c: m1 (QoS 1, t) came with no subscription to it"], _model.Faults);
    }

    [Fact]
    public void A_message_that_ended_before_SUBSCRIBE_may_not_come_even_after_a_crash()
    {
        _publisher.Publishing(new(1, "u", "m0", 1), isDuplicate: false);
        _publisher.Acknowledged(new(1, "u", "m0", 1));
        _client.Subscribing(2, "u", 1);
        _client.Subscribed(2, 1);
        _model.Crashing();
        _client.Disconnected("gone");
        Connect(_client, true);
        _client.Received(new(1, false, 1, "u", "m0", true));
        Assert.Equal(["c: m0 (QoS 1, u) came with no subscription to it"], _model.Faults);
    }

    [Theory]
    [InlineData(false, 3600u, false)]
    [InlineData(true, 3600u, true)]
    [InlineData(false, null, true)]
    public void Session_Present_has_to_be_exact(bool isClean, uint? expiry, bool wrong)
    {
        Reconnect(expiry: expiry);
        _client.Disconnected(null);
        Connect(_client, wrong, isClean);
        Assert.Equal([$"c: Session Present is {wrong}"], _model.Faults);
    }

    [Fact]
    public void More_than_Receive_Maximum_is_a_fault()
    {
        Publish("m0", 1);
        Publish("m1", 2);
        Publish("m2", 1);
        Reconnect(receiveMaximum: 1);
        Receive("m0", 1, 1);
        _client.Answering(Answers.PubAck, 1);
        Receive("m1", 2, 2);
        Assert.Empty(_model.Faults);
        Receive("m2", 1, 3);
        Assert.Equal(["c: more than Receive Maximum 1 at m2 (QoS 1, t)"], _model.Faults);
    }

    [Fact]
    public void The_last_retained_message_has_to_come_for_a_subscription_that_asks_for_it()
    {
        Publish("m0", 1, isRetained: true, topic: "u");
        Publish("m1", 1, isRetained: true, topic: "u");
        Subscribe(2, "u", 0x01);
        Assert.Equal(["c has not got m1 (QoS 1, u, retained) for its subscription"], _client.Missing());
        _client.Received(new(1, false, 1, "u", "m1", true, IsRetained: true));
        Assert.Empty(_client.Missing());
        Subscribe(3, "u", 0x11);
        Subscribe(4, "u", 0x21);
        Assert.Empty(_client.Missing());
        Assert.Empty(_model.Faults);
    }

    [Fact]
    public void Neither_one_that_was_replaced_nor_one_that_nobody_asked_for_may_come()
    {
        Publish("m0", 1, isRetained: true, topic: "u");
        Publish("m1", 1, isRetained: true, topic: "u");
        Subscribe(2, "u", 0x01);
        _client.Received(new(1, false, 1, "u", "m0", true, IsRetained: true));
        Publish("m2", 1, isRetained: true, topic: "v");
        Subscribe(3, "v", 0x21);
        _client.Received(new(2, false, 1, "v", "m2", true, IsRetained: true));
        Assert.Equal(["c: m0 (QoS 1, u, retained) came with no subscription to it", "c: m2 (QoS 1, v, retained) came with no subscription to it"], _model.Faults);
    }

    [Fact]
    public void It_may_come_once_for_each_time_that_it_was_asked_for()
    {
        Publish("m0", 1, isRetained: true, topic: "u");
        Subscribe(2, "u", 0x01);
        Subscribe(3, "u", 0x01);
        for (ushort packetId = 1; packetId <= 3; packetId++)
        {
            Assert.Empty(_model.Faults);
            _client.Received(new(packetId, false, 1, "u", "m0", true, IsRetained: true));
        }

        Assert.Equal(["c: m0 (QoS 1, u, retained) came 3 times as the retained one"], _model.Faults);
    }

    [Theory]
    [InlineData(0x21, true, "with")]
    [InlineData(0x21, false, null)]
    [InlineData(0x29, true, null)]
    [InlineData(0x29, false, "without")]
    public void A_message_has_RETAIN_as_its_subscription_says(int options, bool isRetained, string? wrong)
    {
        Subscribe(2, "u", options);
        Publish("m0", 1, isRetained: true, topic: "u");
        _client.Received(new(1, false, 1, "u", "m0", true, isRetained));
        Publish("m1", 1, topic: "u");
        _client.Received(new(2, false, 1, "u", "m1", true));
        Assert.Equal(wrong is null ? [] : [$"c: m0 (QoS 1, u, retained) came {wrong} RETAIN"], _model.Faults);
    }

    [Fact]
    public void A_message_may_come_as_the_retained_one_and_as_it_was_published_when_its_subscription_changes_meanwhile()
    {
        Subscribe(2, "u", 0x28);
        _publisher.Publishing(new(0, "u", "m0", 0, isRetained: true), isDuplicate: false);
        Subscribe(3, "u", 0x00);
        _client.Received(new(0, false, 0, "u", "m0", true, IsRetained: true));
        _client.Received(new(0, false, 0, "u", "m0", true));
        Assert.Empty(_model.Faults);
        _client.Received(new(0, false, 0, "u", "m0", true));
        Assert.Equal(["c: m0 (QoS 0, u, retained) came 2 times with QoS 0"], _model.Faults);
    }

    private void Subscribe(ushort packetId, string filter, int options)
    {
        _client.Subscribing(packetId, filter, options);
        _client.Subscribed(packetId, (byte)(options & 3));
    }

    private static void Connect(ModelClient client, bool sessionPresent, bool isClean = false, uint? expiry = 3600, int receiveMaximum = 0)
    {
        client.Connecting(new(5, "") { CleanStart = isClean, SessionExpiry = expiry, ReceiveMaximum = receiveMaximum });
        client.Connected(sessionPresent);
    }

    private void Reconnect(uint? expiry = 3600, int receiveMaximum = 0)
    {
        _client.Disconnected(null);
        Connect(_client, true, expiry: expiry, receiveMaximum: receiveMaximum);
    }

    private void Publish(string payload, int qos, bool isRetained = false, string topic = "t")
    {
        OutgoingPublish publish = new(1, topic, payload, qos, isRetained);
        _publisher.Publishing(publish, isDuplicate: false);
        if (qos == 2)
        {
            _publisher.Taken(publish);
        }

        _publisher.Acknowledged(publish);
    }

    private void Receive(string payload, int qos, ushort packetId = 1, bool isDuplicate = false, bool isNew = true) =>
        _client.Received(new(packetId, isDuplicate, qos, "t", payload, isNew));

    private void Finish(ushort packetId)
    {
        _client.Answering(Answers.PubRec, packetId);
        _client.Released(packetId);
        _client.Answering(Answers.PubComp, packetId);
    }

    private sealed class PerfectServer : IServerUnderTest
    {
        public int Port => 0;

        public Deviations Deviations => Deviations.None;

        public IReadOnlyList<string> Output => [];

        public Task CrashAsync() => Task.CompletedTask;

        public Task StartAgainAsync() => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
