using System.Reflection;
using System.Text.RegularExpressions;

namespace OrleansMqtt.Conformance.Tests;

public sealed partial class StatementTests
{
    [Fact]
    public void Each_test_names_the_statements_that_it_shows()
    {
        var tests = typeof(StatementTests).Assembly.GetTypes().Where(type => type != typeof(StatementTests)).SelectMany(type => type.GetMethods())
            .Where(method => method.GetCustomAttributes<FactAttribute>().Any()).ToList();
        Assert.NotEmpty(tests);
        Assert.All(tests, test =>
        {
            var statements = test.GetCustomAttributes<StatementAttribute>().SelectMany(attribute => attribute.Ids).ToList();
            Assert.NotEmpty(statements);
            Assert.All(statements, statement => Assert.Matches(Form(), statement));
        });
    }

    [GeneratedRegex(@"^(MQTT-\d+(\.\d+){1,2}-\d+|section \d+(\.\d+)+)$")]
    private static partial Regex Form();
}
