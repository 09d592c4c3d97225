using System.Reflection;
using System.Text.RegularExpressions;
using OrleansMqtt.Conformance.Tests.Statements;

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

    [Fact]
    public void Each_number_that_a_test_names_is_one_of_its_specification() => Assert.Empty(new ConformanceTable().Unknown);

    [Fact]
    public void Each_statement_that_binds_a_server_has_a_test_or_a_reason() => Assert.Empty(new ConformanceTable().Unshown);

    [Fact]
    public void No_statement_has_a_test_and_a_reason_for_having_none() => Assert.Empty(new ConformanceTable().Contradicted);

    [Theory, InlineData(V5), InlineData(V311)]
    public void No_statement_is_listed_twice(MqttVersion version)
    {
        var ids = new ConformanceTable().StatementsOf(version).Select(statement => statement.Id).ToList();
        Assert.Equal(ids.Distinct(), ids);
    }

    /// <summary>With <c>ORLEANSMQTT_WRITE_CONFORMANCE=1</c>, as tests/conformance-table has it, the file is written.</summary>
    [Fact]
    public async Task The_table_in_docs_is_what_the_tests_say()
    {
        ConformanceTable table = new();
        var text = table.Write();
        if (Environment.GetEnvironmentVariable("ORLEANSMQTT_WRITE_CONFORMANCE") == "1")
        {
            await File.WriteAllTextAsync(table.FilePath, text, TestContext.Current.CancellationToken);
        }

        var written = File.Exists(table.FilePath) ? await File.ReadAllTextAsync(table.FilePath, TestContext.Current.CancellationToken) : "";
        Assert.True(text == written, "docs/conformance.md is not up to date: run tests/conformance-table.");
    }

    [GeneratedRegex(@"^(MQTT-\d+(\.\d+){1,2}-\d+|section \d+(\.\d+)+)$")]
    private static partial Regex Form();
}
