using System.Reflection;
using System.Text;

namespace OrleansMqtt.Conformance.Tests.Statements;

/// <summary>docs/conformance.md: each statement that binds a server, with the tests of this assembly that name it.</summary>
internal sealed class ConformanceTable
{
    private static readonly (MqttVersion Version, string Name, string File)[] Specifications = [(V5, "MQTT 5.0", "mqtt-5.0.txt"), (V311, "MQTT 3.1.1", "mqtt-3.1.1.txt")];
    private readonly string _lists;
    private readonly ILookup<(MqttVersion, string), string> _tests;

    public ConformanceTable()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "OrleansMqtt.sln")))
        {
            root = root.Parent ?? throw new DirectoryNotFoundException($"{AppContext.BaseDirectory} is not inside of the repository.");
        }

        _lists = Path.Combine(root.FullName, "tests", "Conformance.Tests", "Statements");
        FilePath = Path.Combine(root.FullName, "docs", "conformance.md");
        _tests = typeof(ConformanceTable).Assembly.GetTypes().SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .SelectMany(test => test.GetCustomAttributes<StatementAttribute>()
                .SelectMany(attribute => attribute.Ids.Select(id => (Key: (attribute.Version, id), Test: $"{test.DeclaringType!.Name}.{test.Name}"))))
            .ToLookup(entry => entry.Key, entry => entry.Test);
    }

    public string FilePath { get; }

    /// <summary>Numbers that tests name and no specification has.</summary>
    public IEnumerable<string> Unknown =>
        from test in _tests
        where test.Key.Item2.StartsWith("MQTT-", StringComparison.Ordinal) && !StatementsOf(test.Key.Item1).Any(statement => statement.Id == test.Key.Item2)
        select $"{test.Key.Item1} {test.Key.Item2}: {string.Join(", ", test)}";

    /// <summary>Statements that bind a server and have neither a test nor a reason.</summary>
    public IEnumerable<string> Unshown =>
        from specification in Specifications
        from statement in StatementsOf(specification.Version)
        where statement.BindsServer && statement.Reason is null && !_tests.Contains((specification.Version, statement.Id))
        select $"{specification.Name} {statement.Id}: {statement.Summary}";

    /// <summary>Statements with a test that tell why they have none.</summary>
    public IEnumerable<string> Contradicted =>
        from specification in Specifications
        from statement in StatementsOf(specification.Version)
        where statement.Reason is not null && _tests.Contains((specification.Version, statement.Id))
        select $"{specification.Name} {statement.Id}: {statement.Reason}";

    public IEnumerable<Statement> StatementsOf(MqttVersion version) => Statement.Read(Path.Combine(_lists, Specifications.Single(specification => specification.Version == version).File));

    public string Write()
    {
        StringBuilder text = new();
        text.Append(
            """
            # Conformance

            The normative statements of both specifications that bind a server, each with the tests that show it; all are in `tests/Conformance.Tests` and speak to the server by
            sockets. What binds clients alone is listed where a test shows how the server meets a client that breaks it. The summaries are reminders, not the text of the specification.

            `tests/conformance-table` writes this file from the tests; a test fails while it is not up to date, or a statement has neither a test nor a reason.

            """);
        text.Append('\n');
        foreach (var (version, name, _) in Specifications)
        {
            var statements = StatementsOf(version).ToList();
            var binding = statements.Where(statement => statement.BindsServer).ToList();
            var tested = binding.Count(statement => _tests.Contains((version, statement.Id)));
            text.Append($"## {name}\n\n{binding.Count} statements bind a server: {tested} have tests, {binding.Count - tested} a reason for having none. ");
            text.Append($"{statements.Count - binding.Count} bind clients alone.\n\n| statement | binds | about | shown by |\n| --- | --- | --- | --- |\n");
            foreach (var statement in statements)
            {
                var tests = _tests[(version, statement.Id)].Distinct().Order(StringComparer.Ordinal).Select(test => $"`{test}`").ToList();
                if (tests.Count > 0 || statement.BindsServer)
                {
                    text.Append($"| {statement.Id} | {statement.Binds} | {statement.Summary} | {(tests.Count > 0 ? string.Join("<br>", tests) : $"*{statement.Reason}*")} |\n");
                }
            }

            text.Append('\n');
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }
}
