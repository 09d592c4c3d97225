namespace OrleansMqtt.Conformance.Tests.Statements;

/// <summary>A normative statement of a specification: its number, whom it binds, what it is about, and why there is no test of a server that shows it.</summary>
internal sealed record Statement(string Id, string Binds, string Summary, string? Reason)
{
    public bool BindsServer => Binds is not "client";

    /// <summary>Reads a list: one statement a line, its fields between bars.</summary>
    public static IEnumerable<Statement> Read(string path)
    {
        foreach (var line in File.ReadLines(path).Where(line => !line.StartsWith('#')))
        {
            var fields = line.Split(" | ");
            Assert.True(fields is [_, "server" or "client" or "both", _] or [_, "server" or "both", _, _], $"{Path.GetFileName(path)}: {line}");
            yield return new(fields[0], fields[1], fields[2], fields.ElementAtOrDefault(3));
        }
    }
}
