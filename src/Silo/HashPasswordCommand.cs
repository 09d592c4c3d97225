using System.CommandLine;
using System.Text;
using System.Text.Json;
using OrleansMqtt.Edge.Authentication;

namespace OrleansMqtt.Silo;

/// <summary>The command <c>hash-password</c>: a password in, the line of its user for the settings out.</summary>
internal static class HashPasswordCommand
{
    public const string Name = "hash-password";

    /// <summary>Base64 holds a plus, which is written as it is.</summary>
    private static readonly JsonSerializerOptions Json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="arguments">The arguments, the first of which is <see cref="Name"/>.</param>
    public static Task<int> RunAsync(string[] arguments)
    {
        Argument<string> user = new("user") { Description = "the user name" };
        Option<int> iterations = new("--iterations")
        {
            Description = $"how often it is hashed, {PasswordVerifier.LeastIterations} to {PasswordVerifier.MostIterations}: what a login costs, and guessing",
            DefaultValueFactory = static _ => PasswordVerifier.LeastIterations,
        };
        iterations.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<int>() is < PasswordVerifier.LeastIterations or > PasswordVerifier.MostIterations)
            {
                result.AddError($"--iterations must be from {PasswordVerifier.LeastIterations} to {PasswordVerifier.MostIterations}.");
            }
        });
        Command command = new(Name, "Reads a password from standard input and writes the entry of Mqtt:Authentication:Users for its user.") { user, iterations };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (await ReadPasswordAsync(cancellationToken) is not { Length: > 0 } password)
            {
                await Console.Error.WriteLineAsync("No password was given.");
                return 1;
            }

            var entry = new { Name = parsed.GetValue(user), Password = PasswordVerifier.Create(password, parsed.GetValue(iterations)).ToString() };
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(entry, Json));
            return 0;
        });
        RootCommand root = new("OrleansMqtt") { command };
        return root.Parse(arguments).InvokeAsync();
    }

    private static async Task<string?> ReadPasswordAsync(CancellationToken cancellationToken)
    {
        if (Console.IsInputRedirected)
        {
            return await Console.In.ReadLineAsync(cancellationToken);
        }

        await Console.Error.WriteAsync("Password: ");
        StringBuilder password = new();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key != ConsoleKey.Backspace)
            {
                password.Append(key.KeyChar);
            }
            else if (password.Length > 0)
            {
                password.Length--;
            }
        }

        await Console.Error.WriteLineAsync();
        return password.ToString();
    }
}
