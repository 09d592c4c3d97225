using Xunit;

namespace OrleansMqtt.Grains.Tests;

public sealed class SessionsOptionsTests
{
    [Theory, InlineData(0, false), InlineData(1, true), InlineData(100_000, true), InlineData(100_001, false)]
    public void A_limit_of_subscriptions_that_cannot_be_kept_is_refused_by_name(int limit, bool isTaken)
    {
        var result = new SessionsOptionsValidation().Validate(null, new() { MaximumSubscriptions = limit });

        Assert.Equal(isTaken, result.Succeeded);
        Assert.Equal(isTaken ? null : $"Sessions:MaximumSubscriptions is {limit}: it must be 1 to 100000.", result.FailureMessage);
    }
}
