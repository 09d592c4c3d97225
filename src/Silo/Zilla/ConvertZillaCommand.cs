using System.CommandLine;

namespace OrleansMqtt.Silo.Zilla;

/// <summary>The command <c>convert-zilla</c>: a zilla.yaml in, settings out, and on standard error a line for each thing that is not carried over, or needs a hand.</summary>
internal static class ConvertZillaCommand
{
    public const string Name = "convert-zilla";

    /// <param name="arguments">The arguments, the first of which is <see cref="Name"/>.</param>
    public static Task<int> RunAsync(string[] arguments)
    {
        Argument<string> file = new("file") { Description = "the zilla.yaml; - reads standard input" };
        Option<string?> binding = new("--binding") { Description = "the binding of type mqtt-kafka; the first one unless given" };
        Command command = new(Name, "Writes the settings that a zilla.yaml with an MQTT Kafka proxy asks for, as JSON for appsettings.Production.json.") { file, binding };
        command.SetAction((parsed, cancellationToken) => ConvertAsync(parsed.GetValue(file)!, parsed.GetValue(binding), cancellationToken));
        RootCommand root = new("OrleansMqtt") { command };
        return root.Parse(arguments).InvokeAsync();
    }

    private static async Task<int> ConvertAsync(string file, string? binding, CancellationToken cancellationToken)
    {
        try
        {
            var yaml = file == "-" ? await Console.In.ReadToEndAsync(cancellationToken) : await File.ReadAllTextAsync(file, cancellationToken);
            var converted = ZillaConverter.Convert(yaml, binding);
            foreach (var note in converted.Notes)
            {
                await Console.Error.WriteLineAsync(note);
            }

            await Console.Out.WriteAsync(converted.ToJson());
            return 0;
        }
        catch (ZillaException exception)
        {
            await Console.Error.WriteLineAsync($"{file}: {exception.Message}");
            return 1;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }
}
