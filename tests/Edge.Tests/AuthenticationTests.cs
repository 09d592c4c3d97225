using System.Text;
using Microsoft.Extensions.Time.Testing;
using OrleansMqtt.Edge.Authentication;
using OrleansMqtt.Edge.Configuration;

namespace OrleansMqtt.Edge.Tests;

public sealed class AuthenticationTests
{
    private const string Method = "1500017A";

    /// <summary>RFC 7677, 3.</summary>
    [Fact]
    public async Task The_example_of_the_specification_of_SCRAM_SHA_256_is_answered_as_there()
    {
        var verifier = PasswordVerifier.Create("pencil"u8, Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
        UserDirectory users = new([new UserOptions { Name = "user", Password = verifier.ToString() }]);
        ScramExchange exchange = new(users, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        var challenge = await exchange.ContinueAsync("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"u8.ToArray(), default);
        Assert.Equal("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", Encoding.UTF8.GetString(challenge.Data.Span));
        var proof = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="u8.ToArray();
        var end = await exchange.ContinueAsync(proof, default);
        Assert.Equal((AuthenticationOutcome.Succeeded, "user"), (end.Outcome, end.Identity));
        Assert.Equal("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Encoding.UTF8.GetString(end.Data.Span));
    }

    [Fact]
    public async Task A_method_of_ones_own_authenticates_and_its_identity_may_not_change()
    {
        FakeAuthenticator authenticator = new();
        await using var host = await EdgeHost.StartAsync(authenticator);
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("c", 5, properties: Method));
        Assert.Equal("F0061804" + Method, await client.ReceivePacketAsync());
        await client.SendAsync("F00A 18 08 1500017A 16000161");
        var connAck = await client.ReceivePacketAsync();
        Assert.EndsWith(Method, connAck, StringComparison.Ordinal);
        Assert.Equal(("c", (string?)null), (authenticator.Requests[0].ClientId, authenticator.Requests[0].Identity));
        await client.SendAsync("F00A 19 08 1500017A 16000161");
        Assert.StartsWith("F0", await client.ReceivePacketAsync(), StringComparison.Ordinal);
        Assert.Equal("a", authenticator.Requests[1].Identity);
        await client.SendAsync("F00A 18 08 1500017A 16000162");
        Assert.Contains("E0", (await client.ReceiveUntilClosedAsync())[..2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_method_that_never_answers_is_bounded_by_the_time_for_CONNECT()
    {
        FakeTimeProvider time = new();
        await using var host = await EdgeHost.StartAsync(new FakeAuthenticator { Hangs = true }, time);
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("c", 5, properties: Method));
        while (!host.Context.Connections.All.Any(connection => connection.ClientId == "c"))
        {
            await Task.Yield();
        }

        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("87", (await client.ReceiveUntilClosedAsync())[6..8]);
    }

    [Theory]
    [InlineData("secret", "Mqtt:Authentication:Users:0:Password of user 'a' is not valid")]
    [InlineData("SCRAM-SHA-256$1:AAAA$AAAA:AAAA", "Mqtt:Authentication:Users:0:Password of user 'a' is not valid")]
    public async Task A_user_whose_password_was_not_hashed_stops_the_start_with_a_line_that_does_not_tell_it(string password, string line)
    {
        var exception = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(
            () => EdgeHost.StartAsync(null, ("Authentication:Users:0:Name", "a"), ("Authentication:Users:0:Password", password)));
        Assert.Contains(line, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(password, exception.Message, StringComparison.Ordinal);
    }

    /// <summary>Asks once, then takes for the identity what it is sent.</summary>
    private sealed class FakeAuthenticator : IEnhancedAuthenticator
    {
        public string Method => "z";

        public bool Hangs { get; init; }

        public List<AuthenticationRequest> Requests { get; } = [];

        public IAuthenticationExchange Begin(AuthenticationRequest request)
        {
            Requests.Add(request);
            return new Exchange(Hangs);
        }

        private sealed class Exchange(bool hangs) : IAuthenticationExchange
        {
            private bool _hasAsked;

            public ValueTask<AuthenticationStep> ContinueAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
            {
                if (hangs)
                {
                    return new(new TaskCompletionSource<AuthenticationStep>().Task);
                }

                (var hasAsked, _hasAsked) = (_hasAsked, true);
                return new(hasAsked ? AuthenticationStep.Succeed(Encoding.UTF8.GetString(data.Span)) : AuthenticationStep.Continue(default));
            }
        }
    }
}
